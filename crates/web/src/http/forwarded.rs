//! Who asks behind the proxies in front of us.

use std::net::IpAddr;

use gatewarden_types::Network;

/// The address that asks, when `peer` is connected and sent these `X-Forwarded-For` lines.
///
/// Each hop adds at the end whom it was asked by, so the lines are one list that is believed from its end, as long as
/// the one who speaks is a trusted proxy. What stands before that is whatever the sender made up.
pub(super) fn asking<'a>(peer: IpAddr, lines: impl DoubleEndedIterator<Item = &'a str>, trusted: &[Network]) -> IpAddr {
    let mut asking = peer;
    for hop in lines.rev().flat_map(|line| line.rsplit(',')) {
        let believed = trusted.iter().any(|proxies| proxies.contains(asking));
        let (true, Ok(before)) = (believed, hop.trim().parse()) else { break };
        asking = before;
    }
    asking
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(peer: &str, lines: &[&str]) -> String {
        let trusted: Vec<Network> = ["10.0.0.0/8", "::1"].iter().map(|text| text.parse().expect("a network")).collect();
        asking(peer.parse().expect("an address"), lines.iter().copied(), &trusted).to_string()
    }

    #[test]
    fn only_what_trusted_proxies_add_is_believed() {
        assert_eq!(asked("192.0.2.1", &["203.0.113.9"]), "192.0.2.1", "a stranger speaks for nobody");
        assert_eq!(asked("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(asked("10.0.0.1", &["203.0.113.9, 192.0.2.1"]), "192.0.2.1");
        assert_eq!(asked("10.0.0.1", &["203.0.113.9", "192.0.2.1"]), "192.0.2.1", "a line of the proxy's own");
        assert_eq!(asked("10.0.0.1", &["203.0.113.9, 192.0.2.1,10.0.0.2"]), "192.0.2.1", "two proxies");
        assert_eq!(asked("::1", &["192.0.2.1", "10.0.0.3 , 10.0.0.2"]), "192.0.2.1");
        assert_eq!(asked("10.0.0.1", &["192.0.2.1, nobody"]), "10.0.0.1", "what cannot be read ends the list");
        assert_eq!(asked("10.0.0.1", &["10.0.0.3"]), "10.0.0.3", "someone within");
    }
}
