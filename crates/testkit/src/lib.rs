//! What tests act with: a [`World`] of people in two organizations, over either back end, with a clock to turn.
//!
//! ```ignore
//! gatewarden_testkit::on_both! {
//!     async fn a_viewer_changes_nothing(world: World) {
//!         let viewer = world.viewer().caller();
//!         let renamed = organizations::update(world.app(), &viewer, world.org(), command).await;
//!         assert!(matches!(renamed, Err(Error::Refused(_))));
//!     }
//! }
//! ```
#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test that cannot be set up fails by saying so")]

mod ambient;
mod beneath;
mod database;
mod empty;
mod errand;
mod founding;
mod house;
mod people;
mod run;
mod world;

pub use ambient::{Time, fresh_seed};
pub use beneath::{Beneath, Tables};
pub use database::{HARDENING, Postgres};
pub use empty::Empty;
pub use errand::Errand;
pub use house::House;
pub use people::{Holder, PASSWORD, Someone};
pub use run::{on_postgres, on_sqlite};
pub use world::World;
