use gatewarden_control::{Error, Once, models, models::ApproveModel, providers};
use gatewarden_types::{Feature, Level, ModelState};

use crate::given::{approving, field, model, outsiders, provider, refused};

gatewarden_testkit::on_both! {
    // proves RQ-029
    async fn owners_and_admins_approve_and_everybody_inside_sees(world: World) {
        let (app, org) = (world.app(), world.org());
        let one = provider(&world, "One").await.value.id;
        let fast = model(&world, "fast", one).await.value.id;
        let key = world.key_of(world.admin(), [(Feature::Models, Level::Read)].into()).await;
        let mut callers = outsiders(&world).to_vec();
        callers.extend([world.member().caller(), world.viewer().caller(), key.caller()]);
        for caller in callers {
            assert!(refused(&models::approve(app, &caller, org, approving("slow", one)).await), "{caller:?}");
            assert!(refused(&models::withdraw(app, &caller, org, fast, None).await), "{caller:?}");
        }
        for caller in [world.member().caller(), world.viewer().caller(), key.caller()] {
            let (listed, _) = models::list(app, &caller, org).await.unwrap();
            assert_eq!((listed[0].model.record.id, listed[0].provider.as_str()), (fast, "One"));
        }
        for caller in outsiders(&world) {
            assert!(refused(&models::list(app, &caller, org).await));
        }
        models::approve(app, &world.admin().caller(), org, approving("slow", one)).await.unwrap();
    }

    async fn one_approved_model_bears_a_name(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let (one, two) = (provider(&world, "One").await.value.id, provider(&world, "Two").await.value.id);
        let fast = model(&world, "fast", one).await.value.id;
        assert_eq!(field(models::approve(app, &owner, org, approving("fast", two)).await), "name");
        models::withdraw(app, &owner, org, fast, None).await.unwrap();
        let other = model(&world, "fast", two).await.value.id;
        assert_ne!(other, fast, "what only bears the same name is another model");
        models::withdraw(app, &owner, org, other, None).await.unwrap();
        let again = model(&world, "fast", one).await.value;
        assert_eq!((again.id, again.state), (fast, ModelState::Approved));
        assert_eq!(models::list(app, &owner, org).await.unwrap().0.len(), 1);
        providers::remove(app, &owner, org, one, None).await.unwrap();
        assert_eq!(field(models::approve(app, &owner, org, approving("new", one)).await), "provider");
    }

    async fn withdrawing_twice_is_withdrawing_once(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let one = provider(&world, "One").await.value.id;
        let fast = model(&world, "fast", one).await;
        let stale = models::withdraw(app, &owner, org, fast.value.id, Some(1)).await;
        assert!(matches!(stale, Err(Error::Conflict { version }) if version == fast.version));
        let first = models::withdraw(app, &owner, org, fast.value.id, Some(fast.version)).await.unwrap();
        let second = models::withdraw(app, &owner, org, fast.value.id, Some(fast.version)).await.unwrap();
        assert_eq!((first.version, second.value.state), (second.version, ModelState::Withdrawn));
    }

    async fn two_who_approve_one_name_at_once_make_one_model(world: World) {
        let (app, org) = (world.app(), world.org());
        let one = provider(&world, "One").await.value.id;
        let (owner, admin) = (world.owner().caller(), world.admin().caller());
        let (a, b) = tokio::join!(
            models::approve(app, &owner, org, approving("fast", one)),
            models::approve(app, &admin, org, approving("fast", one)),
        );
        assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|ok| **ok).count(), 1);
    }

    async fn a_repeated_request_approves_once(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let one = provider(&world, "One").await.value.id;
        let once = |request| Some(Once { word: "w".to_owned(), request: [request; 32] });
        let command = |request| ApproveModel { once: once(request), ..approving("fast", one) };
        let first = models::approve(app, &owner, org, command(1)).await.unwrap();
        let again = models::approve(app, &owner, org, command(1)).await.unwrap();
        assert_eq!((first.value, first.version), (again.value, again.version));
        assert!(matches!(models::approve(app, &owner, org, command(2)).await, Err(Error::Reused)));
    }
}
