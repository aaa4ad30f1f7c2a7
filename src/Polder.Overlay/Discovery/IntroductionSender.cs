using Polder.Net;
using Polder.Overlay.Packets;
using Polder.Overlay.Sessions;
using Polder.Wire;

namespace Polder.Overlay.Discovery;

/// <summary>How messages of the introduction protocol are written, signed and read in one community.</summary>
internal sealed class IntroductionSender(Community community, NodeHost host)
{
    /// <summary>What stands behind the fields: the community's own, and that we speak sessions.</summary>
    public ReadOnlyMemory<byte> Extra()
    {
        var extra = community.IntroductionExtra;
        if (!community.AnnouncesSessions || !host.Options.Sessions.Enabled) return extra.IsEmpty ? default : extra.ToArray();
        var bytes = new byte[extra.Length + Announcement.Bytes];
        extra.CopyTo(bytes);
        Announcement.Write(bytes.AsSpan(extra.Length), host.Options.Sessions.NetworkId);
        return bytes;
    }

    /// <summary>Reads fields; false, and counted, when they are none.</summary>
    public bool TryRead<T>(ReadOnlySpan<byte> fields, out T message) where T : struct, IMessage<T>
    {
        if (typeof(T) == typeof(IntroductionRequest) && community.OldStyleOnly) fields = DiscoveryCommunity.WithoutHistory(fields);
        var error = Packet.Read(fields, out message);
        if (error == WireError.None) return true;
        host.Counters.Count(error);
        return false;
    }

    /// <summary>An IPv4 address as it is, any other as none: the old style has no room for it.</summary>
    public static Endpoint InIPv4(Endpoint endpoint) => endpoint.IsIPv4 ? endpoint : Endpoint.None;

    /// <summary>Signs and sends; <paramref name="ours"/>: it was we who began.</summary>
    public void Send<T>(Endpoint to, T message, bool ours) where T : struct, IMessage<T>
    {
        var buffer = NodeHost.SendBuffer;
        var length = Packet.WriteSigned(
            buffer, community.CommunityId, MessageForm.GlobalTime, host.NextGlobalTime(), message, host.Identity,
            host.Environment.Signatures);
        if (community.MaySend(length)) host.Transmit(to, buffer.AsSpan(0, length), ours);
    }

    /// <summary>Sends a message that nobody signs.</summary>
    public void SendUnsigned<T>(Endpoint to, T message) where T : struct, IMessage<T>
    {
        Span<byte> buffer = stackalloc byte[128];
        var length = Packet.WriteUnsigned(buffer, community.CommunityId, MessageForm.GlobalTime, host.NextGlobalTime(), message);
        if (community.MaySend(length)) host.Transmit(to, buffer[..length]);
    }
}
