//! What is kept of a policy, and what becomes of it on a bad disk.

mod disk;
mod given;
