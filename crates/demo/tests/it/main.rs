//! The model server, spoken to as a provider is, and the example organization.

#[cfg(test)]
#[cfg(feature = "organization")]
mod organization;
#[cfg(test)]
mod upstream;
