//! One test on each back end.

use std::{
    future::Future,
    io::{self, Write},
    sync::Once,
};

use crate::World;

/// Makes of each `async fn name(world: World) { … }` a test `sqlite::name` and a test `postgres::name`. Stands once in a
/// module. The second passes where `GATEWARDEN_TEST_POSTGRES` is not set, which is told once per program of tests.
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident: World) $body:block)+) => {
        $($(#[$meta])* async fn $name($world: $crate::World) $body)+

        mod sqlite {
            $(#[test] fn $name() { $crate::on_sqlite(super::$name); })+
        }

        mod postgres {
            $(#[test] fn $name() { $crate::on_postgres(super::$name); })+
        }
    };
}

/// Runs a test in a world on SQLite.
pub fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(World) -> F) {
    runtime().block_on(async { test(World::sqlite().await).await });
}

/// Runs a test in a world on PostgreSQL, if there is one.
pub fn on_postgres<F: Future<Output = ()>>(test: impl FnOnce(World) -> F) {
    runtime().block_on(async {
        if let Some(world) = World::postgres().await {
            test(world).await;
        }
    });
}

/// Says, once per program of tests, that what needs a PostgreSQL is left out.
pub(crate) fn say_left_out() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        // Not by `eprintln!`, which a test that passes keeps to itself.
        let line = "left out: the tests on PostgreSQL, as GATEWARDEN_TEST_POSTGRES names none; \
                    `cargo xtask test` brings one\n";
        io::stderr().write_all(line.as_bytes()).expect("standard error is open");
    });
}

fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().expect("a runtime starts")
}
