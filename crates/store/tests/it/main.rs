//! The store under test, on both back ends.

#[cfg(test)]
mod append_only;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod commit;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod creation;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod files;
#[cfg(test)]
mod hold;
#[cfg(test)]
mod intake;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod pools;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod tampering;
#[cfg(test)]
mod tenancy;
#[cfg(test)]
mod world;
#[cfg(test)]
mod writes;
