//! What is kept of a policy, what becomes of it on a bad disk, and how gateways come through three bad days.

#[cfg(test)]
mod conduct;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod given;
#[cfg(test)]
mod simulation;
