//! What a gateway knows of the trail counts: the control plane hears it, and the gateway takes no other history, as when
//! another server takes over whose database lacked the last changes.

use futures::StreamExt;
use gatewarden_ambient::entropy;
use gatewarden_control::trail;
use gatewarden_credentials::{FramesFor, GatewayCredential, Token};
use gatewarden_feed::{Asked, FeedEvent, FrameReader, Position};
use gatewarden_link::ControlPlane;
use gatewarden_testkit::Beneath;
use gatewarden_types::Digest;

use crate::{host::Host, plane::Plane};

/// The tables in which a new key leaves something, and which rows those are.
const OF_A_KEY: [(&str, &str); 4] = [("leaves", "seq"), ("changes", "seq"), ("entries", "seq"), ("keys", "version")];

/// A way into the organization's tables past what keeps its trail append-only.
async fn unprotected(plane: &Plane) -> Beneath {
    let beneath = plane.world.beneath(plane.world.org()).await;
    for table in ["leaves", "changes", "entries"] {
        beneath.unprotect(table).await;
    }
    beneath
}

/// Takes back the last change, by which a key was made.
async fn lose(beneath: &Beneath) {
    let last = beneath.texts("SELECT CAST(MAX(seq) AS TEXT) FROM entries").await.remove(0);
    for (table, column) in OF_A_KEY {
        beneath.run(&format!("DELETE FROM {table} WHERE {column} = {last}")).await.unwrap();
    }
}

/// What a feed begins with.
async fn first(control: &ControlPlane, credential: &GatewayCredential, asked: Asked) -> FeedEvent {
    let salt = Digest(entropy().bytes());
    let mut feed = control.feed(credential, salt, asked).await.unwrap();
    let mut reader = FrameReader::new(credential.frames(FramesFor::Feed, &salt.0));
    loop {
        reader.push(&feed.next().await.unwrap().unwrap());
        if let Some(event) = reader.next().unwrap() {
            return event;
        }
    }
}

gatewarden_testkit::on_both! {
    async fn what_a_gateway_knows_and_whether_it_wants_all_of_it_is_heard(world: World) {
        let plane = Plane::new(world).await;
        let (_, token) = plane.add("Frankfurt").await;
        let token: GatewayCredential = token.parse().unwrap();
        let control = ControlPlane::new(plane.url().parse().unwrap()).unwrap();
        let credential = GatewayCredential::new(token.gateway(), Token::generate(&entropy()));
        control.enroll(&token, credential.verifier()).await.unwrap();
        plane.key("One more").await;
        let entries = plane.world.trail(plane.world.org()).await;
        let before = &entries[entries.len() - 2];
        let known = Some(Position::of(before.seq, &before.bytes));
        let goes_on = first(&control, &credential, Asked { known, wants_base: false }).await;
        assert_eq!(goes_on.leads_to().unwrap().seq, before.seq + 1);
        assert!(matches!(goes_on, FeedEvent::Entry { .. }), "{goes_on:?}");
        let whole = first(&control, &credential, Asked { known, wants_base: true }).await;
        assert!(matches!(whole, FeedEvent::Base { continues: true, .. }), "{whole:?}");
        let other = known.map(|known| Position { head: Digest([9; 32]), ..known });
        let replaced = first(&control, &credential, Asked { known: other, wants_base: false }).await;
        assert!(matches!(replaced, FeedEvent::Base { continues: false, .. }), "{replaced:?}");
    }

    async fn a_history_that_is_replaced_under_an_open_feed_is_refused_until_the_operator_tells(world: World) {
        let (plane, host) = (Plane::new(world).await, Host::new());
        plane.let_in(&host).await;
        let gateway = host.start();
        gateway.ready().await;
        let lost = plane.key("Lost").await;
        gateway.until_answered(&lost.text).await;
        lose(&unprotected(&plane).await).await;
        let other = plane.key("In its place").await;
        plane.until_told("another entry").await;
        assert_eq!(gateway.call(&lost.text).await.0, 200, "it goes on by the history that it knows");
        assert_eq!(gateway.call(&other.text).await.1, "invalid_api_key");

        let (app, org) = (plane.world.app(), plane.world.org());
        trail::begin_epoch(app, &trail::restorer(app), org).await.unwrap();
        gateway.until_answered(&other.text).await;
        assert_eq!(gateway.call(&lost.text).await.1, "invalid_api_key");
    }
}
