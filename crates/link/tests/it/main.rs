//! What is kept of a policy, what becomes of it on a bad disk, and how gateways come through three bad days.

mod disk;
mod given;
mod simulation;
