//! The trail as others meet it: logs, what is done to them, and what they fold to.

#[cfg(test)]
mod entries;
#[cfg(test)]
mod exports;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod tampering;
