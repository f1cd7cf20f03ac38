use std::{borrow::Cow, fmt, ops::Deref};

use serde::{Deserialize, Serialize};

/// The longest code, in bytes.
const LONGEST: usize = 64;

/// Why a call was refused or cut off: the word in the answer's `code`, of lower-case letters, digits and `_`, at most 64.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct RefusalCode(Cow<'static, str>);

/// A text that is no [`RefusalCode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the code of a refusal: up to 64 lower-case letters, digits and '_'")]
pub struct BadCode;

impl RefusalCode {
    /// One of the gateway's own, which is known to be one.
    pub const fn own(code: &'static str) -> Self {
        Self(Cow::Borrowed(code))
    }
}

impl TryFrom<String> for RefusalCode {
    type Error = BadCode;

    fn try_from(text: String) -> Result<Self, BadCode> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let is_code = !text.is_empty() && text.len() <= LONGEST && text.bytes().all(fits);
        if is_code { Ok(Self(Cow::Owned(text))) } else { Err(BadCode) }
    }
}

impl Deref for RefusalCode {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
