namespace Polder.Overlay.Sessions;

/// <summary>What a frame inside a session packet is. Types that nobody handles are skipped and counted. Table: docs/wire/session.md.</summary>
public enum FrameType : byte
{
    /// <summary>The rest of the packet is padding.</summary>
    Padding = 0,
    /// <summary>8 bytes; asks for a <see cref="Pong"/>.</summary>
    Ping = 1,
    /// <summary>The 8 bytes of the ping.</summary>
    Pong = 2,
    /// <summary>8 random bytes, sent on a path that is to be proved.</summary>
    PathChallenge = 3,
    /// <summary>The 8 bytes of the challenge.</summary>
    PathResponse = 4,
    /// <summary>The session ends; one byte says why.</summary>
    Close = 5,
    /// <summary>A message of a community, by the index that was bound to it.</summary>
    Message = 6,
    /// <summary>Binds an index to a community id and carries its first message.</summary>
    MessageBind = 7,
    /// <summary>Where the sender believes to be reachable.</summary>
    Addresses = 8,
    /// <summary>Where the sender sees the receiver.</summary>
    Observed = 9,
    /// <summary>One part of a message that is too long for one packet.</summary>
    MessagePart = 10,
    /// <summary>The receiver has bound that index: one byte is enough from now on.</summary>
    MessageBound = 11,
    /// <summary>Bytes of a stream.</summary>
    Stream = 0x10,
    /// <summary>Packets that arrived.</summary>
    Ack = 0x11,
    /// <summary>Room of the connection.</summary>
    MaxData = 0x12,
    /// <summary>Room of a stream.</summary>
    MaxStream = 0x13,
    /// <summary>The sender gives up a stream.</summary>
    Reset = 0x14,
    /// <summary>The receiver wants no more of a stream.</summary>
    StopSending = 0x15,
    /// <summary>A signed puncture record.</summary>
    PunctureRecord = 0x20,
    /// <summary>A puncture record to be passed on.</summary>
    PunctureForward = 0x21,
    /// <summary>Asks for a probe from somebody never contacted.</summary>
    DialBackAsk = 0x22,
    /// <summary>Asks a neighbour to send that probe.</summary>
    DialBackDo = 0x23,
    /// <summary>Asks for a place at a relay.</summary>
    RelayReserve = 0x28,
    /// <summary>A relay's answer.</summary>
    RelayGrant = 0x29,
    /// <summary>A datagram of a relayed session.</summary>
    RelayData = 0x2A,
    /// <summary>Bytes relayed so far, signed.</summary>
    RelayStatement = 0x2B,
    /// <summary>Asks a relay for a way to one of its guests.</summary>
    RelayOpen = 0x2C,
    /// <summary>Tags that both share.</summary>
    SharedTags = 0x30,
}
