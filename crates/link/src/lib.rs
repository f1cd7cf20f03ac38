//! How a gateway on another host is linked to the control plane.
//!
//! It enrols once ([`enroll`]), then follows its organization's trail ([`Link`], which does what a [`Conduct`] says), keeps
//! what it took on disk ([`Disk`]), so that it can start while the control plane is down, and says how far it is.
#![warn(missing_docs)]

mod conduct;
mod control_plane;
mod disk;
mod enrolment;
mod generation;
mod link;
mod report;

pub use conduct::{Conduct, Effect, Happening};
pub use control_plane::{ControlPlane, Trouble};
pub use disk::{Disk, Start};
pub use enrolment::{Enrolment, Enrolments, enroll, enrolments};
pub use generation::{Generation, Recovered, Unusable};
pub use link::{Link, Wiring};
pub use report::{Standing, report};
