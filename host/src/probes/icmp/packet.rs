//! Echo requests and replies as bytes. Pure, but for a tag that nobody can guess.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;

/// Type, code, checksum, identifier and sequence number.
const HEAD: usize = 8;

/// More than a reply to any of these requests has.
pub(super) const LONGEST: usize = 2048;

/// The packets of one run.
pub(super) struct Echo {
    request: u8,
    reply: u8,
    payload: Vec<u8>,
}

impl Echo {
    /// With so many bytes in each, the first eight of them random.
    pub(super) fn new(to: IpAddr, payload_bytes: usize) -> Self {
        let (request, reply) = if to.is_ipv4() { (8, 0) } else { (128, 129) };
        let tag = RandomState::new().hash_one(payload_bytes).to_be_bytes();
        let payload = tag.into_iter().chain((HEAD_FILL..=u8::MAX).cycle()).take(payload_bytes).collect();
        Self { request, reply, payload }
    }

    /// The request with this index. Checksum and identifier are the kernel's to fill in.
    pub(super) fn request(&self, index: usize) -> Vec<u8> {
        let mut packet = vec![self.request, 0, 0, 0, 0, 0];
        packet.extend(sequence(index).to_be_bytes());
        packet.extend(&self.payload);
        packet
    }

    /// Which of the requests this replies to; none if it is something else.
    pub(super) fn index_of_reply(&self, packet: &[u8]) -> Option<usize> {
        let (head, payload) = packet.split_at_checked(HEAD)?;
        let [kind, code, _, _, _, _, high, low] = *head else { return None };
        let fits = kind == self.reply && code == 0 && payload == self.payload;
        let index = usize::from(u16::from_be_bytes([high, low])).checked_sub(1)?;
        fits.then_some(index)
    }
}

/// What fills the payload behind its tag, as other programs do it.
const HEAD_FILL: u8 = 0x10;

fn sequence(index: usize) -> u16 {
    u16::try_from(index.saturating_add(1)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

    fn reply(echo: &Echo, index: usize) -> Vec<u8> {
        let mut packet = echo.request(index);
        packet[0] = echo.reply;
        packet[2..6].copy_from_slice(&[1, 2, 3, 4]);
        packet
    }

    #[test]
    fn a_reply_has_the_requests_number_and_content() {
        for (to, length) in [(V4, 56), (V6, 56), (V4, 0), (V6, 3), (V4, 1400)] {
            let echo = Echo::new(to, length);
            for index in [0, 1, 19] {
                assert_eq!(echo.request(index).len(), 8 + length);
                assert_eq!(echo.index_of_reply(&reply(&echo, index)), Some(index));
                assert_eq!(echo.index_of_reply(&echo.request(index)), None, "a request is no reply");
            }
        }
    }

    #[test]
    fn what_differs_is_no_reply() {
        let (echo, other) = (Echo::new(V4, 56), Echo::new(V4, 56));
        assert_ne!(echo.payload, other.payload);
        let good = reply(&echo, 0);
        assert_eq!(other.index_of_reply(&good), None);
        assert_eq!(echo.index_of_reply(&good[..good.len() - 1]), None);
        for at in (0..good.len()).filter(|at| !(2..6).contains(at)) {
            let mut changed = good.clone();
            changed[at] ^= 1;
            assert_ne!(echo.index_of_reply(&changed), Some(0), "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn any_packet_is_a_reply_or_none(packet in prop::collection::vec(any::<u8>(), 0..100), payload in 0_usize..9) {
            let _ = Echo::new(V4, payload).index_of_reply(&packet);
            let _ = Echo::new(V6, payload).index_of_reply(&packet);
        }
    }
}
