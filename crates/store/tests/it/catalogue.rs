//! Every table has a declared class, on both back ends alike.

use std::collections::{BTreeMap, BTreeSet};

use gatewarden_migrations::{CONTROL_TABLES, Class, ORGANIZATION_TABLES};
use gatewarden_testkit::{Beneath, World};

/// What the migrator keeps for itself, in each schema or file.
const MIGRATOR: &str = "seaql_migrations";

async fn tables(beneath: &Beneath) -> BTreeSet<String> {
    let sql = if beneath.is_postgres() {
        "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    };
    beneath.texts(sql).await.into_iter().filter(|table| table != MIGRATOR).collect()
}

fn declared(catalogue: &[(&str, Class)], wanted: impl Fn(Class) -> bool) -> BTreeSet<String> {
    catalogue.iter().filter(|(_, class)| wanted(*class)).map(|(table, _)| (*table).to_owned()).collect()
}

gatewarden_testkit::on_both! {
    async fn every_table_has_a_class(world: World) {
        let (ledger, observed) = (world.beneath(world.org()).await, world.beneath_observed(world.org()).await);
        let found: BTreeSet<_> = tables(&ledger).await.into_iter().chain(tables(&observed).await).collect();
        assert_eq!(found, declared(ORGANIZATION_TABLES, |_| true));
        assert!(found.len() < 20, "with the migrator's own there are at most twenty");
        if !ledger.is_postgres() {
            assert_eq!(tables(&ledger).await, declared(ORGANIZATION_TABLES, |class| class != Class::Observed));
        }
        assert_eq!(tables(&world.beneath_control().await).await, declared(CONTROL_TABLES, |_| true));
    }

    async fn every_policy_row_says_which_entry_wrote_it(world: World) {
        let ledger = world.beneath(world.org()).await;
        for (table, _) in ORGANIZATION_TABLES.iter().filter(|(_, class)| *class == Class::Policy) {
            let columns = columns(&ledger, table).await;
            assert!(columns.contains("id") && columns.contains("version"), "{table}: {columns:?}");
        }
    }
}

async fn columns(beneath: &Beneath, table: &str) -> BTreeSet<String> {
    let sql = if beneath.is_postgres() {
        format!("SELECT attname::text FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0")
    } else {
        format!("SELECT name FROM pragma_table_info('{table}')")
    };
    beneath.texts(&sql).await.into_iter().collect()
}

#[test]
fn both_back_ends_have_the_same_columns() {
    gatewarden_testkit::on_postgres(|postgres| async move {
        let sqlite = World::sqlite().await;
        let mut shapes = Vec::new();
        for world in [&sqlite, &postgres] {
            let mut shape = BTreeMap::new();
            let (ledger, observed) = (world.beneath(world.org()).await, world.beneath_observed(world.org()).await);
            for (table, class) in ORGANIZATION_TABLES {
                let beneath = if *class == Class::Observed { &observed } else { &ledger };
                shape.insert(("organization", *table), columns(beneath, table).await);
            }
            for (table, _) in CONTROL_TABLES {
                shape.insert(("control", *table), columns(&world.beneath_control().await, table).await);
            }
            shapes.push(shape);
        }
        assert_eq!(shapes[0], shapes[1]);
    });
}
