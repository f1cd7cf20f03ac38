//! The page of approved models.

use gatewarden_control::providers::{self, AddProvider};
use gatewarden_testkit::{World, on_both};
use gatewarden_types::{Dialect, Model};

use crate::{
    harness::{Reply, door, site},
    records_browser::Tab,
};

const LIST: &str = "/o/here/models";

/// A provider that the owner added.
async fn provider(world: &World, name: &str) -> String {
    let command = AddProvider {
        name: name.parse().unwrap(),
        dialect: Dialect::OpenAi,
        base_url: "http://127.0.0.1:9/v1".parse().unwrap(),
        secret: None,
        once: None,
    };
    let added = providers::add(world.app(), &world.owner().caller(), world.org(), command).await;
    added.unwrap().value.id.to_string()
}

fn wrong<'a>(reply: &'a Reply, field: &str) -> &'a str {
    reply.between(&format!("id=\"{field}-wrong\">"), "</p>").unwrap_or_default()
}

/// The id of the first model listed, and the version its form sends.
fn first(reply: &Reply) -> (String, String) {
    let id = reply.between("<tr id=\"model-", "\"").expect("a row").to_owned();
    let (_, dialog) = reply.body.split_once(&format!("id=\"withdraw-{id}\"")).expect("a dialog");
    let (_, version) = dialog.split_once("name=\"version\" value=\"").expect("a version");
    (id, version.split_once('"').expect("its end").0.to_owned())
}

on_both! {
    async fn a_model_is_approved_withdrawn_and_approved_again(world: World) {
        let door = door(&site(&world)).await;
        let mut admin = Tab::signed_in(&door, world.admin()).await;
        let empty = admin.get(LIST).await;
        assert!(empty.says("No model is approved") && empty.says("Add a provider first"));
        let one = provider(&world, "One").await;
        let approved = admin.post(LIST, &[("name", "team/fast"), ("provider", &one), ("upstream", "")]).await;
        assert_eq!((approved.code(), approved.location()), (303, LIST));
        let page = admin.get(LIST).await;
        assert!(page.says("team/fast is approved") && page.says("data-label=\"since\">now<"), "{}", page.body);
        assert!(page.says("Calls, 30 days") && page.says("data-label=\"calls\">0<"));

        let (id, seen) = first(&page);
        let stale = admin.post(&format!("{LIST}/{id}/withdraw"), &[("version", "1")]).await;
        assert!(stale.code() == 409 && stale.says("Someone changed it in the meantime."));
        assert_eq!(first(&stale), (id.clone(), seen.clone()), "the page has what is true");
        let withdrawn = admin.post(&format!("{LIST}/{id}/withdraw"), &[("version", &seen)]).await;
        assert_eq!((withdrawn.code(), withdrawn.location()), (303, LIST));
        let page = admin.get(LIST).await;
        assert!(page.says("team/fast is withdrawn") && page.says(">Undo</button>") && page.says("No model is approved"));
        let undo = [("name", "team/fast"), ("provider", one.as_str()), ("upstream", "team/fast")];
        assert!(undo.iter().all(|(name, value)| page.says(&format!("name=\"{name}\" value=\"{value}\""))));
        assert_eq!(admin.post(LIST, &undo).await.code(), 303);
        assert_eq!(first(&admin.get(LIST).await).0, id, "it is the same model again");
    }

    async fn what_cannot_be_taken_is_said_at_its_field(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let (one, two) = (provider(&world, "One").await, provider(&world, "Two").await);
        owner.get(LIST).await;
        assert_eq!(owner.post(LIST, &[("name", "a"), ("provider", &one), ("upstream", "x")]).await.code(), 303);
        let absent = format!("prv_{}", "0".repeat(26));
        for (name, provider, upstream, field, why) in [
            ("a", two.as_str(), "y", "name", "An approved model has this name already."),
            ("two words", &two, "y", "name", "without spaces"),
            ("", &two, "y", "name", "1 to 128"),
            ("b", &two, "two words", "upstream", "without spaces"),
            ("b", "", "y", "provider", "Choose one of the providers."),
            ("b", &absent, "y", "provider", "There is no such provider."),
        ] {
            let typed = [("name", name), ("provider", provider), ("upstream", upstream)];
            let refused = owner.post(LIST, &typed).await;
            assert_eq!(refused.code(), 422, "{typed:?}");
            assert!(wrong(&refused, field).contains(why), "{typed:?}: {}", wrong(&refused, field));
            assert!(refused.says(&format!("value=\"{name}\"")) && refused.says(&format!("value=\"{upstream}\"")));
            assert!(provider != two || refused.says(&format!("value=\"{two}\" selected")));
        }
        assert_eq!(world.tables(world.org()).await["models"].len(), 1);
    }

    // proves RL-006, RL-008, RL-045
    async fn members_and_viewers_see_models_and_change_none(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let one = provider(&world, "One").await;
        owner.get(LIST).await;
        owner.post(LIST, &[("name", "a"), ("provider", &one), ("upstream", "")]).await;
        let (id, version) = first(&owner.get(LIST).await);
        for (who, heading) in [(world.member(), "Your calls, 30 days"), (world.viewer(), ">Calls, 30 days")] {
            let mut tab = Tab::signed_in(&door, who).await;
            let page = tab.get(LIST).await;
            assert!(page.code() == 200 && page.says("model-") && page.says(heading), "{}", page.body);
            assert!(page.says("href=\"/o/here/models\"") && !page.says("Approve a model") && !page.says("/withdraw"));
            let fields = [("name", "b"), ("provider", one.as_str()), ("upstream", "")];
            assert_eq!(tab.post(LIST, &fields).await.code(), 403);
            assert_eq!(tab.post(&format!("{LIST}/{id}/withdraw"), &[("version", &version)]).await.code(), 403);
            let absent = world.app().id::<Model>();
            assert_eq!(tab.post(&format!("{LIST}/{absent}/withdraw"), &[("version", "")]).await.code(), 404);
        }
        let mut stranger = Tab::signed_in(&door, world.stranger()).await;
        assert_eq!(stranger.get(LIST).await.code(), 404);
        assert!(owner.get(LIST).await.says("model-"));
    }

    async fn a_hostile_name_is_text(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let one = provider(&world, "<script>one</script>").await;
        owner.get(LIST).await;
        let attack = "<img/src=x/onerror=alert(1)>";
        let fields = [("name", attack), ("provider", one.as_str()), ("upstream", attack)];
        assert_eq!(owner.post(LIST, &fields).await.code(), 303);
        let filled = "/o/here/models?name=%3Cimg%3E&upstream=%22%3E%3Cimg%3E";
        for page in [owner.get(LIST).await, owner.post(LIST, &fields).await, owner.get(filled).await] {
            assert!(page.says("img") && !page.says("<img") && !page.says("<script>"), "{}", page.body);
        }
    }
}
