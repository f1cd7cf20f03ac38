//! Nothing that the program can be rewrites the trail.

use gatewarden_testkit::Beneath;

/// Ways to change what is there. `{t}` is a table, `{k}` a column of its key, `{c}` any of its columns.
const REWRITES: [&str; 4] = [
    "UPDATE {t} SET {c} = {c}",
    "DELETE FROM {t}",
    "DELETE FROM {t} WHERE {k} IS NOT NULL",
    "INSERT INTO {t} SELECT * FROM {t} WHERE true ON CONFLICT ({key}) DO UPDATE SET {c} = excluded.{c}",
];

/// The trail's tables in an organization: name, key and some column.
const TABLES: [(&str, &str, &str); 4] = [
    ("entries", "seq", "at"),
    ("leaves", "seq", "hash"),
    ("changes", "record, seq", "seq"),
    ("checkpoints", "epoch, size", "note"),
];

const CONTROL: [(&str, &str, &str); 3] =
    [("entries", "seq", "at"), ("leaves", "seq", "hash"), ("checkpoints", "organization, epoch, size", "note")];

async fn assert_refused(beneath: &Beneath, as_whom: &str, (table, key, column): (&str, &str, &str)) {
    let mut ways: Vec<&str> = REWRITES.to_vec();
    ways.push(if beneath.is_postgres() { "TRUNCATE {t}" } else { "INSERT OR REPLACE INTO {t} SELECT * FROM {t}" });
    let first = key.split(',').next().unwrap();
    for way in ways {
        let way =
            way.replace("{t}", &beneath.name(table)).replace("{key}", key).replace("{k}", first).replace("{c}", column);
        let sql = format!("{as_whom}{way}");
        let refused = beneath.run(&sql).await.expect_err(&sql).to_string();
        let why = ["append-only", "permission denied", "must be owner"];
        assert!(why.iter().any(|why| refused.contains(why)), "{sql}: {refused}");
    }
}

gatewarden_testkit::on_both! {
    async fn the_trail_is_never_rewritten(world: World) {
        world.app().store.checkpoint(world.org()).await.unwrap();
        let (trail, control) = (world.trail_tables(world.org()).await, world.control_tables().await);
        assert!(trail.values().all(|rows| !rows.is_empty()), "there is something to rewrite in each table");
        let (beneath, instance) = (world.beneath(world.org()).await, world.beneath_control().await);
        let guises = world.guises(world.org());
        for as_whom in &guises {
            for table in TABLES {
                assert_refused(&beneath, as_whom, table).await;
            }
            for table in CONTROL {
                assert_refused(&instance, as_whom, table).await;
            }
        }
        assert_eq!(world.trail_tables(world.org()).await, trail);
        assert_eq!(world.control_tables().await, control);
    }
}
