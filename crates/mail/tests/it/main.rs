//! Mail, as a mail server and a folder receive it.

#[cfg(test)]
mod delivery;
#[cfg(test)]
mod sink;
