use std::{fmt, str::FromStr};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc},
};
use gatewarden_types::Entropy;
use zeroize::Zeroize;

/// A password as it was typed, fit to be hashed: 12 to 1,024 characters, anything else is up to its owner.
///
/// Length is the whole rule (NIST SP 800-63B): no required character classes, nothing trimmed.
pub struct Password(String);

/// The password breaks the rule; the text is fit to stand beside the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    /// Fewer than 12 characters.
    #[error("Use at least 12 characters; a few words in a row do well.")]
    TooShort,
    /// More than 1,024 characters.
    #[error("Use at most 1,024 characters.")]
    TooLong,
}

impl Password {
    /// The fewest and the most characters.
    pub const CHARACTERS: std::ops::RangeInclusive<usize> = 12..=1024;

    /// Hashes it with argon2id (19 MiB, 2 passes, 1 lane) and a fresh salt: tens of milliseconds of one core.
    ///
    /// # Errors
    /// When the memory for it cannot be had.
    pub fn hash(&self, entropy: &Entropy) -> Result<PasswordHash, argon2::password_hash::Error> {
        let salt: [u8; 16] = entropy.bytes();
        let hash: phc::PasswordHash = Argon2::default().hash_password_with_salt(self.0.as_bytes(), &salt)?;
        Ok(PasswordHash(hash.to_string()))
    }
}

impl FromStr for Password {
    type Err = BadPassword;

    fn from_str(text: &str) -> Result<Self, BadPassword> {
        // A character has at most four bytes, so what is longer need not be counted.
        if text.len() > 4 * Self::CHARACTERS.end() {
            return Err(BadPassword::TooLong);
        }
        match text.chars().count() {
            count if count < *Self::CHARACTERS.start() => Err(BadPassword::TooShort),
            count if count > *Self::CHARACTERS.end() => Err(BadPassword::TooLong),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What is stored of a password: a PHC string (`$argon2id$v=19$m=19456,t=2,p=1$…`), which carries its own parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// Of a password that nobody has: its hash is 32 bytes that no search has produced. It makes the work for an unknown
/// account the same as for a known one.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Z2F0ZXdhcmRlbi1ub2JvZHk$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

impl PasswordHash {
    /// A hash as it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The PHC string to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `typed` is the password of `hash`; `None` (no such account, or no password set) costs the same and
    /// is never true.
    ///
    /// Takes the text as typed, not a [`Password`]: someone whose password predates the rule can still sign in.
    /// What is longer than any password is not hashed further than that length.
    pub fn verify(hash: Option<&Self>, typed: &str) -> bool {
        let stored = hash.map_or(NOBODY, Self::as_str);
        let fits = typed.len() <= 4 * Password::CHARACTERS.end();
        let typed = if fits { typed.as_bytes() } else { &[] };
        let matches = Argon2::default().verify_password(typed, stored).is_ok();
        matches && fits && hash.is_some()
    }

    /// Whether it was made with other parameters than a new one would be; then it is hashed again at the next sign-in.
    pub fn outdated(&self) -> bool {
        let current = |text: &str| text.split('$').nth(3).map(str::to_owned);
        !self.0.starts_with("$argon2id$v=19$") || current(&self.0) != current(NOBODY)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str, salt: u8) -> PasswordHash {
        let password: Password = text.parse().expect("fits the rule");
        password.hash(&Entropy::new(move |bytes| bytes.fill(salt))).expect("hashes")
    }

    #[test]
    fn only_its_own_password_opens_a_hash() {
        let stored = hash("correct horse battery", 1);
        assert!(PasswordHash::verify(Some(&stored), "correct horse battery"));
        assert!(!PasswordHash::verify(Some(&stored), "correct horse batterz"));
        assert!(!PasswordHash::verify(Some(&stored), ""));
        assert_ne!(stored, hash("correct horse battery", 2), "the salt counts");
        assert!(!stored.outdated());
    }

    #[test]
    fn nobody_has_a_hash_of_the_same_parameters_and_no_password() {
        let nobody = PasswordHash::from_stored(NOBODY.to_owned());
        assert!(phc::PasswordHash::new(NOBODY).is_ok(), "it would otherwise cost no work");
        assert!(!nobody.outdated(), "a hash of nobody costs what a real one costs");
        assert!(!PasswordHash::verify(None, "correct horse battery"));
    }

    #[test]
    fn a_stored_text_that_is_no_hash_opens_nothing() {
        for text in ["", "correct horse battery", "$argon2id$", "$2b$12$abc"] {
            assert!(!PasswordHash::verify(Some(&PasswordHash::from_stored(text.to_owned())), "correct horse battery"));
        }
        let old = PasswordHash::from_stored(NOBODY.replace("t=2", "t=1"));
        assert!(old.outdated());
    }

    #[test]
    fn the_rule_counts_characters_and_nothing_else() {
        let read = |text: &str| text.parse::<Password>().map(drop);
        assert_eq!(read("elevenchars"), Err(BadPassword::TooShort));
        assert_eq!(read("            "), Ok(()));
        assert_eq!(read(&"ü".repeat(1024)), Ok(()));
        assert_eq!(read(&"a".repeat(1025)), Err(BadPassword::TooLong));
        assert_eq!(read(&"a".repeat(1 << 20)), Err(BadPassword::TooLong));
    }
}
