//! `trail verify`: every entry against its hash, every kept checkpoint against the entries, every row against both.
//! `trail export`: the same entries for verifiers that are not ours. `trail restored`: a new epoch after a restored backup.

mod export;
mod exported;
mod proof;
mod restored;
mod verify;

use std::io::{self, IsTerminal};

use anyhow::bail;
use gatewarden_store::Listed;
use gatewarden_types::Slug;

pub use export::export;
pub use exported::run as exported;
pub use restored::restored;
pub use verify::verify;

/// The organization that was asked for, or all of them.
fn chosen(listed: Vec<Listed>, asked: Option<&Slug>) -> anyhow::Result<Vec<Listed>> {
    let chosen: Vec<Listed> =
        listed.into_iter().filter(|one| asked.is_none_or(|slug| slug.as_str() == one.slug)).collect();
    match asked {
        Some(slug) if chosen.is_empty() => bail!("there is no organization {slug}; --all is for every one"),
        None if chosen.is_empty() => {
            bail!("there is no organization; look whether --data and --database-url name the right place")
        }
        _ => Ok(chosen),
    }
}

/// How far something that takes long has come, on standard error: in one line that changes, or in lines where nobody
/// watches.
struct Progress {
    what: String,
    terminal: bool,
}

impl Progress {
    fn of(what: String) -> Self {
        Self { what, terminal: io::stderr().is_terminal() }
    }

    fn tell(&self, done: u64, of: u64) {
        let line = format!("{}: {done} of {of} entries", self.what);
        if self.terminal { eprint!("\r{line}") } else { eprintln!("{line}") }
    }

    fn end(&self) {
        if self.terminal {
            eprintln!();
        }
    }
}
