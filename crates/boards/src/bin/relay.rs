//! `relay PORT`: joins its standard input and output to that port on the loopback address, and ends when either side does.
//!
//! QEMU starts one for each connection that the firmware opens. It prints nothing: its standard error is part of the connection.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::os::fd::AsFd as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse::<u16>().ok());
    let Some(port) = port else { return Err(io::Error::other("expected one argument, a port")) };
    let line = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    line.set_nodelay(true)?;
    // The standard library's own handles would keep bytes back until a line is full.
    let from_board = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let to_board = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let up = line.try_clone()?;
    std::thread::spawn(move || {
        let ended = copy(from_board, &up);
        let half = if ended.is_ok() { Shutdown::Write } else { Shutdown::Both };
        // The other side may have ended first.
        let _ended_already = up.shutdown(half);
    });
    // When the server's side has ended there is nothing left to wait for: the end of this process is the end of the connection.
    copy(line, to_board)
}

fn copy(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            n => to.write_all(buffer.get(..n).unwrap_or_default())?,
        }
    }
}
