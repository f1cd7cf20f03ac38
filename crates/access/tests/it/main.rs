//! Decisions, held against a second opinion.

#[cfg(test)]
mod laws;
#[cfg(test)]
mod model;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod situation;
