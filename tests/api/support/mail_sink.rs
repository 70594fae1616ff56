//! A mail server that keeps what it gets, or does it wrong.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

/// What a mail server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    Takes,
    /// No recipient is good enough.
    Refuses,
    /// The message is not taken this time.
    Postpones,
    /// Nobody hears from it.
    Hangs,
    /// It leaves after the first command.
    Leaves,
    /// It leaves in the middle of the message.
    LeavesAtTheEnd,
}

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Mail {
    pub to: Vec<String>,
    pub text: String,
}

/// The server and what it was sent.
pub struct MailSink {
    pub port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl MailSink {
    pub fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, mails) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<Mail>>>::default());
        let kept = mails.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = kept.clone();
                std::thread::spawn(move || serve(stream, behaviour, &kept));
            }
        });
        Self { port, mails }
    }

    /// What has come so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, behaviour: Behaviour, mails: &Mutex<Vec<Mail>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    if behaviour == Behaviour::Hangs {
        // until the client gives up
        let mut line = String::new();
        while reader.read_line(&mut line).ok()? > 0 {}
        return None;
    }
    let mut to = Vec::new();
    stream.write_all(b"220 sink\r\n").ok()?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 || behaviour == Behaviour::Leaves {
            return None;
        }
        let verb = line.get(..4).unwrap_or_default().to_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "RCPT" if behaviour == Behaviour::Refuses => b"550 5.1.1 no such user\r\n",
            "RCPT" => {
                let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                to.push(address.to_owned());
                b"250 ok\r\n"
            }
            "DATA" => {
                if behaviour == Behaviour::LeavesAtTheEnd {
                    stream.write_all(b"354 go on\r\n").ok()?;
                    reader.read_line(&mut line).ok()?;
                    return None;
                }
                stream.write_all(b"354 go on\r\n").ok()?;
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    if reader.read_line(&mut text).ok()? == 0 {
                        return None;
                    }
                }
                if behaviour == Behaviour::Postpones {
                    b"451 4.3.0 try later\r\n"
                } else {
                    mails.lock().unwrap().push(Mail { to: std::mem::take(&mut to), text });
                    b"250 taken\r\n"
                }
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"250 ok\r\n",
        };
        stream.write_all(answer).ok()?;
    }
}
