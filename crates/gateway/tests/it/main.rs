//! The gateway on real sockets, in front of a model server that can misbehave.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod cutting;
#[cfg(test)]
mod following;
#[cfg(test)]
mod leaving;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod spooling;
#[cfg(test)]
mod staleness;
#[cfg(test)]
mod starting;
#[cfg(test)]
mod upstreams;
#[cfg(test)]
mod world;
