//! The control plane's database is exchanged for an older copy while gateways follow, as when another server takes over
//! that lacked the last changes.

use gatewarden_control::trail;
use gatewarden_testkit::Beneath;

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

gatewarden_testkit::on_both! {
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
