//! The program as people start it: what it prints, what it answers, how it ends.

#[cfg(test)]
mod demo;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod init;
#[cfg(test)]
mod key;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod program;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod tamperings;
#[cfg(test)]
mod trail;
#[cfg(test)]
mod trail_export;
#[cfg(test)]
mod trail_restored;
#[cfg(test)]
mod verifiers;
