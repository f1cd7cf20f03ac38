//! Typed ids: `Id<Member>` shows as `mem_` and 26 characters, parses only its own prefix, and is a UUID in the database.

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::{Entropy, Timestamp};

/// What an id names; its prefix stands before the underscore.
pub trait Kind: 'static {
    /// Three lower-case letters, one set for each kind.
    const PREFIX: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}
        impl Kind for $name {
            const PREFIX: &'static str = $prefix;
        }
    )+};
}

kinds! {
    /// A person who signs in.
    Account = "acc",
    /// A browser session of an account.
    Session = "ses",
    /// One request to the program, however it came.
    Request = "req",
}

/// The id of a `K`: a version 7 UUID, so that ids sort by the time they were made.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

/// The text is not an id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}_ and 26 letters and digits")]
pub struct BadId {
    prefix: &'static str,
}

// Crockford's base 32 in lower case: no i, l, o, u; its order is the order of the bytes.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const DIGITS: usize = 26;

impl<K: Kind> Id<K> {
    /// A new id made at `now`.
    pub fn new(now: Timestamp, entropy: &Entropy) -> Self {
        let millis = u64::try_from(now.micros() / 1000).unwrap_or_default();
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &entropy.bytes()).into_uuid();
        Self::from_uuid(uuid)
    }

    /// When it was made, to the millisecond: a version 7 UUID begins with it.
    pub fn made_at(self) -> Timestamp {
        let millis = i64::try_from(self.0.as_u128() >> 80).unwrap_or_default();
        Timestamp::from_micros(millis * 1000)
    }

    /// The id with these 128 bits.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The 128 bits.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(K::PREFIX)?;
        f.write_str("_")?;
        let (mut digits, mut bits) = ([b'0'; DIGITS], self.0.as_u128());
        for digit in digits.iter_mut().rev() {
            let five = usize::try_from(bits & 31).unwrap_or_default();
            *digit = ALPHABET.get(five).copied().unwrap_or(b'0');
            bits >>= 5;
        }
        // INVARIANT: the alphabet is ASCII.
        f.write_str(str::from_utf8(&digits).unwrap_or_default())
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = BadId { prefix: K::PREFIX };
        let digits = text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or(bad.clone())?;
        // 26 digits carry 130 bits: the first may only be 0 to 7.
        if digits.len() != DIGITS || digits.as_bytes().first().is_none_or(|first| *first > b'7') {
            return Err(bad);
        }
        let mut bits: u128 = 0;
        for letter in digits.bytes() {
            let five = ALPHABET.iter().position(|known| *known == letter).ok_or(bad.clone())?;
            bits = (bits << 5) | u128::try_from(five).map_err(|_| bad.clone())?;
        }
        Ok(Self::from_uuid(Uuid::from_u128(bits)))
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return Uuid::deserialize(deserializer).map(Self::from_uuid);
        }
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_refuses_other_kinds() {
        let id: Id<Account> = Id::from_uuid(Uuid::from_u128(u128::MAX));
        assert_eq!(id.to_string(), "acc_7zzzzzzzzzzzzzzzzzzzzzzzzz");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().parse::<Id<Session>>().is_err());
        for bad in ["", "acc_", "acc_8zzzzzzzzzzzzzzzzzzzzzzzzz", "acc_7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "acc_7zzzé"] {
            assert!(bad.parse::<Id<Account>>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_sort_as_their_text() {
        let (a, b): (Id<Account>, Id<Account>) =
            (Id::from_uuid(Uuid::from_u128(31)), Id::from_uuid(Uuid::from_u128(32)));
        assert!(a < b && a.to_string() < b.to_string());
    }
}
