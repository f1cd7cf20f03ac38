#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatewarden_fuzzing::usage_batch(bytes));
