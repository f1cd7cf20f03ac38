//! Validated words. Each has one way in (`parse`), so that a value of the type is always fit for use.

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::Url;

/// A word was refused; the text says why and what would do, fit to stand beside a form field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadWord(pub &'static str);

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident($check:path)),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The word as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadWord;

            fn from_str(text: &str) -> Result<Self, BadWord> {
                $check(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )+};
}

words! {
    /// What a person calls themselves or a thing: 1 to 100 characters, no control characters, trimmed.
    Name(name),
    /// An e-mail address, lower-cased, so that one mailbox is one account: at most 254 bytes.
    Email(email),
    /// An organization's word in addresses: 2 to 40 lower-case letters, digits and single hyphens; fixed at creation.
    Slug(slug),
    /// The name callers use for a model, such as `gpt-4o` or `team/fast`: 1 to 128 visible ASCII characters.
    ModelName(model_name),
    /// A provider's base URL: http or https, a host, no user name, no query; kept without a trailing slash.
    BaseUrl(base_url),
}

/// The longest text that any word is read from, in bytes; what is longer is refused before it is looked at.
const LONGEST: usize = 2048;

fn name(text: &str) -> Result<String, BadWord> {
    let text = text.trim();
    let unfit = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if text.is_empty() || text.len() > LONGEST || text.chars().count() > 100 {
        return Err(BadWord("Use 1 to 100 characters."));
    }
    if text.chars().any(unfit) {
        return Err(BadWord("Leave out control and invisible characters."));
    }
    Ok(text.to_owned())
}

fn email(text: &str) -> Result<String, BadWord> {
    const BAD: BadWord = BadWord("Give an e-mail address such as ada@example.com.");
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@').ok_or(BAD)?;
    let local_fits = (1..=64).contains(&local.len())
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&b))
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    if !local_fits || text.len() > 254 || !domain.split('.').all(label) {
        return Err(BAD);
    }
    Ok(text.to_ascii_lowercase())
}

fn slug(text: &str) -> Result<String, BadWord> {
    let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !(2..=40).contains(&text.len()) || !plain || text.starts_with('-') || text.ends_with('-') || text.contains("--")
    {
        return Err(BadWord("Use 2 to 40 lower-case letters, digits and single hyphens, such as acme-research."));
    }
    Ok(text.to_owned())
}

fn model_name(text: &str) -> Result<String, BadWord> {
    let text = text.trim();
    if !(1..=128).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\') {
        return Err(BadWord("Use 1 to 128 letters, digits and signs without spaces, such as gpt-4o."));
    }
    Ok(text.to_owned())
}

fn base_url(text: &str) -> Result<String, BadWord> {
    let text = text.trim();
    if text.len() > LONGEST {
        return Err(BadWord("The address is too long: at most 2,048 characters."));
    }
    let url = Url::parse(text).map_err(|_| BadWord("Give an address such as https://api.openai.com/v1."))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(BadWord("Give an address that starts with https:// or http:// and names a host."));
    }
    // What else an address may have in its host by its standard is no name, and no HTTP client takes all of it.
    let plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    if url.domain().is_some_and(|name| !plain(name)) {
        return Err(BadWord("The host of the address may have letters, digits, dots, hyphens and underscores."));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadWord("Leave user name and password out of the address; the secret has its own field."));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(BadWord("Leave out what follows ? or # in the address."));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

impl BaseUrl {
    /// Scheme, host and port: where a provider's secret is sent. Changing any of them asks for the secret again.
    pub fn origin(&self) -> (String, String, u16) {
        let url = Url::parse(&self.0).ok();
        let part = |f: fn(&Url) -> Option<String>| url.as_ref().and_then(f).unwrap_or_default();
        let port = url.as_ref().and_then(Url::port_or_known_default).unwrap_or_default();
        (part(|u| Some(u.scheme().to_owned())), part(|u| u.host_str().map(str::to_owned)), port)
    }
}

/// A SHA-256, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = BadWord;

    fn from_str(text: &str) -> Result<Self, BadWord> {
        const BAD: BadWord = BadWord("A SHA-256 is 64 lower-case hexadecimal digits.");
        if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(BAD);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| BAD)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| BAD)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_take_what_is_fit_and_refuse_the_rest() {
        assert_eq!("  Ada Lindqvist ".parse::<Name>().map(|n| n.to_string()), Ok("Ada Lindqvist".to_owned()));
        assert!("a\u{202e}b".parse::<Name>().is_err() && " ".parse::<Name>().is_err());
        assert_eq!("Ada@Example.COM".parse::<Email>().map(|n| n.to_string()), Ok("ada@example.com".to_owned()));
        for bad in ["ada", "@x", "a@", "a b@x.y", "a@-x.y", "a..b@x.y", "a@x.y\r\nBcc: z"] {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
        for bad in ["A", "a", "-ab", "a--b", "a_b", ""] {
            assert!(bad.parse::<Slug>().is_err(), "{bad}");
        }
        for bad in ["ftp://x", "https://u:p@x", "https://x?y", "x", "https://", "https://a{b}.x", "https://a`b"] {
            assert!(bad.parse::<BaseUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_base_url_knows_where_the_secret_goes() {
        let url = |text: &str| text.parse::<BaseUrl>().map(|u| u.origin());
        assert_eq!(url("https://x.example/v1/"), url("https://x.example:443/v2"));
        assert_ne!(url("https://x.example"), url("http://x.example"));
    }
}
