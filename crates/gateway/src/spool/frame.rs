//! How a batch of records lies in a file: its length and its CRC-32 (IEEE), each four bytes with the lowest first, then
//! the records as [`usage_batch`] writes them. The CRC covers the length as well, so that a tail of zeros is no frame.

use std::{collections::BTreeMap, ops::Range};

use gatewarden_feed::{
    UsageRecord,
    usage_batch::{self, BadUsage},
};
use gatewarden_types::{Id, Organization};

/// The bytes before a frame's records.
const HEAD: usize = 8;

/// How many records there are of each organization.
pub(crate) type Tally = BTreeMap<Id<Organization>, u64>;

/// How many records of whom.
pub(crate) fn tally(records: &[UsageRecord]) -> Tally {
    let mut tally = Tally::new();
    for record in records {
        *tally.entry(record.organization).or_default() += 1;
    }
    tally
}

/// The frame of some records.
pub(crate) fn sealed(records: &[UsageRecord]) -> Vec<u8> {
    let batch = usage_batch::encode(records);
    // INVARIANT: a frame has a bounded number of short records. What were longer would be read as torn.
    let length = u32::try_from(batch.len()).unwrap_or(u32::MAX).to_le_bytes();
    let crc = checksum(length, &batch).to_le_bytes();
    [&length[..], &crc, &batch].concat()
}

fn checksum(length: [u8; 4], batch: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&length);
    crc.update(batch);
    crc.finalize()
}

/// One whole frame.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    /// Where it lies, in bytes from the beginning.
    pub(crate) at: Range<usize>,
    batch: &'a [u8],
}

impl Frame<'_> {
    /// Its records.
    pub(crate) fn records(&self) -> Result<Vec<UsageRecord>, BadUsage> {
        usage_batch::decode(self.batch)
    }
}

/// The whole frames that some bytes begin with; what follows them is torn or damaged.
pub(crate) fn whole(bytes: &[u8]) -> Vec<Frame<'_>> {
    let mut frames = Vec::new();
    let mut end = 0;
    while let Some(frame) = first(bytes, end) {
        end = frame.at.end;
        frames.push(frame);
    }
    frames
}

fn first(bytes: &[u8], at: usize) -> Option<Frame<'_>> {
    let (length, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let batch = rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    (checksum(*length, batch) == u32::from_le_bytes(*crc)).then(|| Frame { at: at..at + HEAD + batch.len(), batch })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::given::record;

    #[test]
    fn every_cut_and_every_flipped_bit_ends_at_the_last_whole_frame() {
        let (one, two) = (sealed(&[record(1, 1), record(2, 2)]), sealed(&[record(1, 3)]));
        let bytes = [&one[..], &two].concat();
        let ends = |bytes: &[u8]| whole(bytes).iter().map(|frame| frame.at.end).collect::<Vec<_>>();
        assert_eq!(ends(&bytes), [one.len(), bytes.len()]);
        for cut in 0..bytes.len() {
            let expected: &[usize] = if cut < one.len() { &[] } else { &[one.len()] };
            assert_eq!(ends(&bytes[..cut]), expected, "cut after {cut} bytes");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let expected: &[usize] = if bit / 8 < one.len() { &[] } else { &[one.len()] };
            assert_eq!(ends(&flipped), expected, "bit {bit}");
        }
    }

    #[test]
    fn a_tail_of_zeros_is_no_frame() {
        let one = sealed(&[record(1, 1)]);
        assert_eq!(whole(&[&one[..], &[0; 64]].concat()).len(), 1);
    }

    #[test]
    fn a_frame_gives_back_its_records() {
        let records = vec![record(1, 1), record(2, 2), record(1, 3)];
        assert_eq!(whole(&sealed(&records))[0].records().unwrap(), records);
        assert_eq!(tally(&records).into_values().collect::<Vec<_>>(), [2, 1]);
    }
}
