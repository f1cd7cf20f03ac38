//! Fixed-width base62 of big numbers, most significant digit first, with exactly one spelling per number.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Ten digits are the most that always fit a `u64`.
const CHUNK: usize = 10;

/// Appends the number in `limbs` (most significant first) as exactly `width` digits.
///
/// `width` must be wide enough for any value of the limbs; digits that do not fit are lost, so the widths are
/// constants of the key format, each covered by a test.
pub(crate) fn encode<const LIMBS: usize>(mut limbs: [u64; LIMBS], width: usize, out: &mut String) {
    let mut digits = vec!['0'; width];
    for digit in digits.iter_mut().rev() {
        let mut rest: u128 = 0;
        for limb in &mut limbs {
            let value = (rest << 64) | u128::from(*limb);
            *limb = low(value / 62);
            rest = value % 62;
        }
        *digit = digit_of(rest);
    }
    out.extend(digits);
}

/// Reads digits into limbs (most significant first); `None` for a foreign character or a number too large.
pub(crate) fn decode<const LIMBS: usize>(text: &[u8]) -> Option<[u64; LIMBS]> {
    let mut limbs = [0u64; LIMBS];
    for chunk in text.chunks(CHUNK) {
        let (mut value, mut scale) = (0u64, 1u64);
        for byte in chunk {
            value = value * 62 + value_of(*byte)?;
            scale *= 62;
        }
        let mut carry = u128::from(value);
        for limb in limbs.iter_mut().rev() {
            let next = u128::from(*limb) * u128::from(scale) + carry;
            *limb = low(next);
            carry = next >> 64;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(limbs)
}

fn digit_of(value: u128) -> char {
    usize::try_from(value).ok().and_then(|at| DIGITS.get(at)).map_or('0', |digit| char::from(*digit))
}

/// Without a branch for each kind of digit: digits are random, so a processor that guesses the branch is often wrong.
fn value_of(byte: u8) -> Option<u64> {
    let zero = match byte {
        ..b'A' => b'0',
        b'A'..b'a' => b'A' - 10,
        _ => b'a' - 36,
    };
    let value = byte.wrapping_sub(zero);
    (DIGITS.get(usize::from(value)) == Some(&byte)).then_some(u64::from(value))
}

#[expect(clippy::cast_possible_truncation, reason = "the low 64 bits are what is wanted")]
fn low(value: u128) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_survive_in_the_widths_of_the_key_format(id in any::<[u64; 2]>(), secret in any::<[u64; 4]>(), sum in any::<u32>()) {
            let mut text = String::new();
            encode(id, 22, &mut text);
            encode(secret, 43, &mut text);
            encode([u64::from(sum)], 6, &mut text);
            prop_assert_eq!(text.len(), 71);
            let bytes = text.as_bytes();
            prop_assert_eq!(decode::<2>(&bytes[..22]), Some(id));
            prop_assert_eq!(decode::<4>(&bytes[22..65]), Some(secret));
            prop_assert_eq!(decode::<1>(&bytes[65..]), Some([u64::from(sum)]));
        }
    }

    #[test]
    fn the_largest_numbers_fit_and_the_next_do_not() {
        let mut text = String::new();
        encode([u64::MAX; 4], 43, &mut text);
        assert_eq!(decode::<4>(text.as_bytes()), Some([u64::MAX; 4]));
        assert_eq!(decode::<4>(&[b'z'; 43]), None);
        assert_eq!(decode::<2>(&[b'z'; 22]), None);
        assert_eq!(decode::<1>(b"00-0"), None);
    }
}
