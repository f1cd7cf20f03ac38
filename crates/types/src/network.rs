//! Which addresses a provider may have: everything on the open internet, and what the operator lists besides.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, de};

use crate::BadWord;

/// A range of addresses in CIDR form, such as `10.0.0.0/8`; a single address is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix: u8,
}

/// The private ranges that the operator allows providers in; empty unless the configuration says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct AllowedNetworks(pub Vec<Network>);

/// Why a provider at some address may not be spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forbidden {
    /// It is not on the open internet, and the operator does not allow it.
    Private,
    /// It is on the open internet, where secret and prompts would be read on the way.
    InTheClear,
}

impl AllowedNetworks {
    /// Judges whether a provider at this address may be spoken to. What the operator lists always may; what is public
    /// may where the connection is `encrypted`.
    ///
    /// An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4) is judged as the IPv4 address it reaches.
    ///
    /// # Errors
    /// When it may not be, with why.
    pub fn judge(&self, address: IpAddr, encrypted: bool) -> Result<(), Forbidden> {
        let reached = reached(address);
        if self.0.iter().any(|network| network.contains(reached) || network.contains(address)) {
            return Ok(());
        }
        match (is_public(reached), encrypted) {
            (true, true) => Ok(()),
            (true, false) => Err(Forbidden::InTheClear),
            (false, _) => Err(Forbidden::Private),
        }
    }
}

impl Network {
    /// Whether `address` lies in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                same_prefix(u128::from(first.to_bits()), u128::from(address.to_bits()), 32 - self.prefix)
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                same_prefix(first.to_bits(), address.to_bits(), 128 - self.prefix)
            }
            _ => false,
        }
    }
}

fn same_prefix(a: u128, b: u128, host_bits: u8) -> bool {
    (a ^ b).checked_shr(u32::from(host_bits)).unwrap_or(0) == 0
}

fn reached(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let low = |octets: [u8; 16], at: usize| {
        let four: Option<[u8; 4]> = octets.get(at..at + 4).and_then(|slice| slice.try_into().ok());
        four.map_or(address, |four| IpAddr::V4(Ipv4Addr::from(four)))
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => low(v6.octets(), 12),
        [0x2002, ..] => low(v6.octets(), 2),
        _ => address,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => public_v4(v4),
        IpAddr::V6(v6) => public_v6(v6),
    }
}

fn public_v4(address: Ipv4Addr) -> bool {
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation();
    let [a, b, c, _] = address.octets();
    let reserved = a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19));
    !special && !reserved
}

fn public_v6(address: Ipv6Addr) -> bool {
    // Only 2000::/3 is given out; inside it, documentation and benchmarking lead nowhere.
    match address.segments() {
        [0x2001, 0xdb8, ..] | [0x2001, 2, 0, ..] | [0x3fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

impl FromStr for Network {
    type Err = BadWord;

    fn from_str(text: &str) -> Result<Self, BadWord> {
        const BAD: BadWord = BadWord("Give an address range such as 10.0.0.0/8 or fd00::/8.");
        let (address, prefix) = text.trim().split_once('/').map_or((text.trim(), None), |(a, p)| (a, Some(p)));
        let first: IpAddr = address.parse().map_err(|_| BAD)?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(most), str::parse).map_err(|_| BAD)?;
        if prefix > most { Err(BAD) } else { Ok(Self { first, prefix }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(allowed: &[&str], address: &str) -> bool {
        let allowed = allowed.iter().map(|text| text.parse().expect("a range")).collect();
        AllowedNetworks(allowed).judge(address.parse().expect("an address"), true).is_ok()
    }

    #[test]
    fn in_the_clear_only_what_the_operator_lists_is_spoken_to() {
        let judge = |allowed: &[&str], address: &str| {
            let allowed = allowed.iter().map(|text| text.parse().expect("a range")).collect();
            AllowedNetworks(allowed).judge(address.parse().expect("an address"), false)
        };
        for public in ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert_eq!(judge(&[], public), Err(Forbidden::InTheClear), "{public}");
            assert_eq!(judge(&["127.0.0.0/8", "10.0.0.0/8"], public), Err(Forbidden::InTheClear), "{public}");
            assert_eq!(judge(&["1.1.1.0/24", "2606:4700::/32"], public), Ok(()), "{public}");
        }
        assert_eq!(judge(&[], "10.0.0.1"), Err(Forbidden::Private));
        assert_eq!(judge(&["10.0.0.0/8"], "10.0.0.1"), Ok(()));
    }

    #[test]
    fn public_addresses_are_permitted_and_private_ones_are_not() {
        for public in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::101:101"] {
            assert!(permits(&[], public), "{public}");
        }
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::",
            "::1",
            "fe80::1",
            "fd00::1",
            "fec0::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "::127.0.0.1",
        ] {
            assert!(!permits(&[], private), "{private}");
        }
    }

    #[test]
    fn the_operator_allows_ranges_and_nothing_beside_them() {
        assert!(permits(&["127.0.0.0/8"], "127.9.9.9") && permits(&["127.0.0.0/8"], "::ffff:127.0.0.1"));
        assert!(permits(&["::1"], "::1") && permits(&["fd00::/8"], "fd12::1"));
        assert!(permits(&["0.0.0.0/0"], "10.0.0.1") && permits(&["::/0"], "fe80::1"));
        assert!(!permits(&["127.0.0.0/8"], "10.0.0.1") && !permits(&["10.0.0.0/31"], "10.0.0.2"));
    }

    #[test]
    fn a_range_is_read_strictly() {
        for bad in ["", "10.0.0.0/33", "fd00::/129", "10.0.0/8", "x/8", "10.0.0.0/", "10.0.0.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
        assert_eq!("10.0.0.0/8".parse::<Network>().map(|n| n.to_string()), Ok("10.0.0.0/8".to_owned()));
    }
}
