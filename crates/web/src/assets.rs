//! The files pages need, inside the program, each under a URL that names its content.
//!
//! A URL changes when the content does, so that browsers may keep what they have for ever.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

include!(concat!(env!("OUT_DIR"), "/gathered.rs"));

/// Whether the build found htmx and every icon. Without them pages work as plain forms and links.
pub const COMPLETE: bool = MISSING_PARTS.is_empty();

/// What the build did not find, for the start line to repeat: `htmx`, `icons`.
pub const MISSING: &[&str] = MISSING_PARTS;

const HTMX: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/htmx.min.js"));
const ICONS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/icons.svg"));

#[derive(rust_embed::RustEmbed)]
#[folder = "../../static/"]
struct Own;

/// One embedded file.
pub struct Asset {
    /// Where it is served, with its hash: `/static/app-3f2a9c0d1e2b4a5c.css`.
    pub url: String,
    /// Its content.
    pub bytes: Cow<'static, [u8]>,
    /// Its media type, with the character set where it is text.
    pub mime: &'static str,
    /// The entity tag, in its quotes.
    pub etag: String,
}

static ALL: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| {
    let own = Own::iter().filter_map(|name| Own::get(&name).map(|file| (name.into_owned(), file.data)));
    let gathered =
        [("htmx.min.js", HTMX), ("icons.svg", ICONS)].map(|(name, bytes)| (name.to_owned(), Cow::Borrowed(bytes)));
    own.chain(gathered)
        .filter(|(_, bytes)| !bytes.is_empty())
        .map(|(name, bytes)| (name.clone(), Asset::new(&name, bytes)))
        .collect()
});

impl Asset {
    fn new(name: &str, bytes: Cow<'static, [u8]>) -> Self {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let hash = format!("{:016x}", hasher.finish());
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let mime = match extension {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "svg" => "image/svg+xml",
            _ => "application/octet-stream",
        };
        Self { url: format!("/static/{stem}-{hash}.{extension}"), bytes, mime, etag: format!("\"{hash}\"") }
    }
}

/// The URL of the file called `name` in `static/`, or nothing where it is not embedded.
pub fn url(name: &str) -> &'static str {
    ALL.get(name).map_or("", |asset| asset.url.as_str())
}

/// The file served at `path`, a whole URL path with its hash; an old hash finds nothing.
pub fn find(path: &str) -> Option<&'static Asset> {
    ALL.values().find(|asset| asset.url == path)
}

/// Whether htmx is there to be loaded.
pub fn has_htmx() -> bool {
    !HTMX.is_empty()
}

/// Every embedded file, by name.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Asset)> {
    ALL.iter().map(|(name, asset)| (name.as_str(), asset))
}

/// The names of the icons in the sprite.
pub fn icons() -> &'static [&'static str] {
    ICON_NAMES
}
