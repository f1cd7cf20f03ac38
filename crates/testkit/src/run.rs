//! One test on each back end.

use std::future::Future;

use crate::World;

/// Makes of each `async fn name(world: World) { … }` a test `sqlite::name` and a test `postgres::name`. Stands once in a
/// module. The second prints a line and passes where `GATEWARDEN_TEST_POSTGRES` is not set.
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
        match World::postgres().await {
            Some(world) => test(world).await,
            None => eprintln!("left out: GATEWARDEN_TEST_POSTGRES names no PostgreSQL; `cargo xtask test` brings one"),
        }
    });
}

fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().expect("a runtime starts")
}
