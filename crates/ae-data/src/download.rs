//! Downloads one file and checks its digest.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use md5::{Digest, Md5};

use crate::{Error, Progress, Result};

/// Downloads `url` to `path` through a temporary file in the same folder. The file is kept only if
/// its MD5 is `md5` (in hexadecimal) and it has at most `at_most` bytes. The folder is created if it
/// does not exist.
pub(crate) fn fetch(
    url: &str,
    path: &Path,
    md5: &str,
    at_most: u64,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<()> {
    let refuse = |expected: String, got: String| Error::malformed(Path::new(url), expected, got);
    let discard = |expected: String, got: String| {
        std::io::Error::other(refuse(expected, got).advise("nothing was kept"))
    };
    let config = ureq::Agent::config_builder()
        .timeout_resolve(Some(Duration::from_secs(10)))
        .timeout_connect(Some(Duration::from_secs(15)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        .timeout_per_read(Some(Duration::from_secs(30)));
    let response = config.build().new_agent().get(url).call().map_err(|error| match error {
        ureq::Error::StatusCode(status) => refuse("status 200".into(), format!("status {status}")),
        ureq::Error::Io(error) => refuse("an answer".into(), error.to_string()),
        error => refuse("an answer".into(), error.to_string()),
    })?;
    let body = response.into_body();
    let total = body.content_length();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    let mut body = body.into_reader();
    ae_files::write_atomically(path, |file| {
        let mut digest = Md5::new();
        let mut received = 0;
        let mut buffer = vec![0; 1 << 16];
        loop {
            progress(Progress { address: url, received, total });
            let read = body.read(&mut buffer).map_err(|error| {
                let expected = total.map_or("the whole file".into(), |n| format!("{n} bytes"));
                discard(expected, format!("{received} ({error})"))
            })?;
            if read == 0 {
                break;
            }
            received += read as u64;
            if received > at_most {
                let expected = format!("at most {at_most} bytes");
                return Err(discard(expected, "more".into()));
            }
            digest.update(&buffer[..read]);
            file.write_all(&buffer[..read])?;
        }
        let got: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if got == md5 { Ok(()) } else { Err(discard(format!("MD5 {md5}"), got)) }
    })
    .map_err(Error::io(path))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;

    pub(crate) fn md5(bytes: &[u8]) -> String {
        Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn answer(body: &[u8]) -> Vec<u8> {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    }

    /// Starts a server on this machine that answers each path with its bytes, and any other path with
    /// status 404. Returns its address, which ends in `/`.
    pub(crate) fn serve(answers: Vec<(&'static str, Vec<u8>)>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(&stream).lines();
                let request = lines.next().unwrap().unwrap();
                lines.find(|line| line.as_ref().is_ok_and(String::is_empty));
                let name = request.split(' ').nth(1).unwrap().trim_start_matches('/');
                let absent = || b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
                let known = answers.iter().find(|(path, _)| *path == name);
                let answer = known.map_or_else(absent, |(_, answer)| answer.clone());
                // The client may close the connection early.
                let _ = stream.write_all(&answer);
            }
        });
        address
    }

    /// Downloads `name` into an empty folder. Returns the error, with `<url>` for the address, and the
    /// files in the folder afterwards.
    fn attempt(name: &str, md5: &str, at_most: u64) -> (Result<(), String>, Vec<String>) {
        let broken = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
        let url = serve(vec![("file", answer(b"the file")), ("broken", broken.to_vec())]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let result = fetch(&format!("{url}{name}"), &path, md5, at_most, &mut |_| ());
        let result = result.map_err(|error| error.to_string().replace(&url, "<url>/"));
        let left = std::fs::read_dir(folder.path()).unwrap();
        let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        (result, left.collect())
    }

    #[test]
    fn file_with_the_right_digest_is_kept() {
        let (result, left) = attempt("file", &md5(b"the file"), 8);
        assert_eq!((result, left), (Ok(()), vec!["file".to_owned()]));
    }

    #[test]
    fn failed_downloads_leave_no_files() {
        let good = md5(b"the file");
        let cases = [
            (
                ("file", "0123456789abcdef0123456789abcdef", 8),
                format!(
                    "<url>/file: expected MD5 0123456789abcdef0123456789abcdef, got {good}; \
                     nothing was kept"
                ),
            ),
            (
                ("file", &*good, 7),
                "<url>/file: expected at most 7 bytes, got more; nothing was kept".into(),
            ),
            (
                ("broken", &*good, 9),
                "<url>/broken: expected 9 bytes, got 4 (Peer disconnected); nothing was kept"
                    .into(),
            ),
            (("absent", &*good, 9), "<url>/absent: expected status 200, got status 404".into()),
        ];
        for ((name, md5, at_most), expected) in cases {
            assert_eq!(attempt(name, md5, at_most), (Err(expected), vec![]));
        }
    }

    /// Runs [`a_large_file_is_fetched`] with a limit to the size of files, as on a full disk.
    #[cfg(unix)]
    #[test]
    fn download_without_room_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let script =
            "trap '' XFSZ; ulimit -f 128; exec \"$0\" --exact \"$1\" --ignored --nocapture";
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script]).arg(std::env::current_exe().unwrap());
        command.arg("download::tests::a_large_file_is_fetched").env("AE_FOLDER", folder.path());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("file: no room for it on the disk ("), "{said}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    #[ignore = "run by another test"]
    fn a_large_file_is_fetched() {
        let path = Path::new(&std::env::var_os("AE_FOLDER").expect("a folder")).join("file");
        let body = vec![7; 1 << 20];
        let url = format!("{}file", serve(vec![("file", answer(&body))]));
        println!("{}", fetch(&url, &path, &md5(&body), 1 << 20, &mut |_| ()).unwrap_err());
    }

    #[test]
    fn missing_server_is_an_error_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("http://{free}/file");
        let path = folder.path().join("file");
        let error = fetch(&url, &path, "", 1, &mut |_| ()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{url}: expected an answer, got ")), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn progress_runs_from_zero_to_the_size() {
        let url = format!("{}file", serve(vec![("file", answer(&[7; 100_000]))]));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut seen = vec![];
        fetch(&url, &path, &md5(&[7; 100_000]), 100_000, &mut |progress| {
            assert_eq!((progress.address, progress.total), (&*url, Some(100_000)));
            seen.push(progress.received);
        })
        .unwrap();
        assert_eq!((seen[0], seen.last()), (0, Some(&100_000)));
        assert!(seen.is_sorted() && seen.len() > 2);
    }
}
