use actix_web::http::Method;

use crate::harness::{Asker, door, site};

gatewarden_testkit::on_both! {
    async fn the_document_names_every_operation_and_every_field_says_what_it_is(world: World) {
        let door = door(&site(&world)).await;
        let read = door.get(&Asker::Nobody, "/api/v1/openapi.json").await;
        assert_eq!((read.status.as_u16(), read.header("content-type")), (200, "application/json"));
        let document = read.json();
        assert_eq!(document["openapi"], "3.1.0");
        let mut ids = std::collections::BTreeSet::new();
        for route in gatewarden_web::routes().iter().filter(|route| route.operation.is_some()) {
            let described = &document["paths"][route.path][route.method.as_str().to_lowercase()];
            assert!(described["summary"].is_string(), "{route:?}");
            assert!(ids.insert(described["operationId"].as_str().unwrap()), "{route:?}: its word is another's");
        }
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            for (field, described) in schema["properties"].as_object().into_iter().flatten() {
                let said = described["description"].is_string() || name == "Problem";
                assert!(said, "{name}.{field} does not say what it is");
            }
        }
    }

    async fn people_read_the_same_as_a_page(world: World) {
        let door = door(&site(&world)).await;
        let page = door.get(&Asker::Nobody, "/api/docs").await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
        for said in ["/api/v1/keys/{key}/rotate", "Idempotency-Key", "&#34;expires&#34;", "Create an API key"] {
            assert!(page.body.contains(said), "{said}");
        }
    }

    async fn another_method_is_told_which_ones_there_are(world: World) {
        let door = door(&site(&world)).await;
        let refused = door.ask(&Asker::Nobody, Method::PUT, "/api/v1/keys", None).await;
        assert_eq!((refused.problem().0, refused.header("allow")), (405, "GET, POST"));
    }
}
