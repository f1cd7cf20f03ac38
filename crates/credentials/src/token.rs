use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gatewarden_types::{Digest, Entropy};
use zeroize::Zeroize;

use crate::{Secret, digest, same};

/// 256 random bits that stand for something for a while: a session, an invite, a form, a set-up code.
///
/// Its holder has the text (43 characters, base64url); what is stored is the [`Token::digest`].
pub struct Token([u8; 32]);

/// The text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Not a token: it has 43 letters, digits, hyphens and underscores.")]
pub struct BadToken;

impl Token {
    /// A new token.
    pub fn generate(entropy: &Entropy) -> Self {
        Self(entropy.bytes())
    }

    /// The text for its holder, safe in an address and a cookie.
    pub fn text(&self) -> Secret<String> {
        Secret::new(URL_SAFE_NO_PAD.encode(self.0))
    }

    /// What keys are derived from.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What is stored of it: the SHA-256 of its 32 bytes.
    pub fn digest(&self) -> Digest {
        digest(&self.0)
    }

    /// Whether it is the token that `stored` was made from, in constant time.
    pub fn matches(&self, stored: &Digest) -> bool {
        same(&self.digest(), stored)
    }
}

impl FromStr for Token {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let mut bytes = [0; 32];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(32) => Ok(Self(bytes)),
            _ => Err(BadToken),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_token_survives_its_text_and_has_one_spelling(bytes in any::<[u8; 32]>(), tail in "[A-Za-z0-9_-]") {
            let token = Token(bytes);
            let text = token.text();
            prop_assert!(text.expose().parse::<Token>().expect("its own text").matches(&token.digest()));
            let other = format!("{}{tail}", &text.expose()[..42]);
            if &other != text.expose() && let Ok(read) = other.parse::<Token>() {
                prop_assert!(!read.matches(&token.digest()));
            }
        }

        #[test]
        fn no_text_is_too_strange_to_refuse(text in ".{0,80}") {
            if let Ok(token) = text.parse::<Token>() {
                prop_assert!(token.text().expose() == &text);
            }
        }
    }

    #[test]
    fn a_token_shows_nothing() {
        assert_eq!(format!("{:?}", Token([7; 32])), "[secret]");
    }
}
