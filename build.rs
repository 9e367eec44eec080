//! Puts the page together for a release and packs each file of it, so that the binary carries finished files and the first
//! visitor gets the smallest form. A debug build reads `web/` from the disk instead: edit and reload.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

#[path = "src/assets/bundle.rs"]
mod bundle;
#[path = "src/assets/tight.rs"]
mod tight;

/// Below this many bytes packing saves nothing.
const PACKED_BYTES_MIN: usize = 256;
const WEB: &str = "web";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_CFG_DEBUG_ASSERTIONS").is_some() {
        return Ok(());
    }
    println!("cargo::rerun-if-changed={WEB}");
    println!("cargo::rerun-if-changed=src/assets");
    let target = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?).join(WEB);
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    let mut paths = Vec::new();
    list(Path::new(WEB), &mut paths)?;
    let made = bundle::served(&paths, &|path| fs::read_to_string(Path::new(WEB).join(path)).ok());
    for path in paths.iter().filter(|path| bundle::is_served(path)) {
        let bytes = fs::read(Path::new(WEB).join(path))?;
        match made.get(path) {
            Some(text) => {
                write(&target.join(path), text.as_bytes())?;
                // Others load what was vendored as it was built.
                if path.starts_with("vendor/") {
                    write(&target.join("originals").join(path), &bytes)?;
                }
            }
            None => write(&target.join(path), &bytes)?,
        }
    }
    Ok(())
}

/// The files below a folder, by their paths from there, with `/`.
fn list(folder: &Path, paths: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, paths)?;
        } else {
            let below = path.strip_prefix(WEB)?.to_str().ok_or("a file's name is no text")?;
            paths.push(below.replace('\\', "/"));
        }
    }
    paths.sort();
    Ok(())
}

/// A file, and beside it each packed form that is smaller.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(path.parent().ok_or("a file lies in a folder")?)?;
    fs::write(path, bytes)?;
    if bytes.len() < PACKED_BYTES_MIN {
        return Ok(());
    }
    let mut brotli = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
    brotli::BrotliCompress(&mut &bytes[..], &mut brotli, &params)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    for (packed, ending) in [(brotli, "br"), (encoder.finish()?, "gz")] {
        if packed.len() < bytes.len() {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{ending}"));
            fs::write(name, packed)?;
        }
    }
    Ok(())
}
