using Polder.Apps.Parcels.Transit;
using Polder.Node.Operations;

namespace Polder.Node.Parcels;

/// <summary>Addresses of mailbox servers and relays, as people write them. What is none is refused with a sentence.</summary>
public static class ParcelAddresses
{
    /// <summary>ws://HOST:PORT/v1, or a shorter form of it.</summary>
    /// <exception cref="OperationRefusedException">It is no such address, or not on this machine although it must be.</exception>
    public static Uri Mailbox(string text, bool loopback)
    {
        if (!Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : "ws://" + text, UriKind.Absolute, out var uri) || uri.Scheme is not ("ws" or "wss"))
            throw Bad($"\"{text}\" is no address of a mailbox server. Write ws://HOST:PORT/v1.");
        if (loopback && !uri.IsLoopback) throw Bad($"With --loopback the mailbox server must be on this machine, and {uri.Host} is not.");
        return uri.AbsolutePath == "/" ? new Uri(uri, "/v1") : uri;
    }

    /// <summary>HOST:PORT.</summary>
    /// <exception cref="OperationRefusedException">It is no such address, or not on this machine although it must be.</exception>
    public static TransitHint Relay(string text, bool loopback)
    {
        var hint = TransitHint.Parse(text) ?? throw Bad($"\"{text}\" is no address of a relay. Write HOST:PORT.");
        return !loopback || hint.Host is "localhost" or "127.0.0.1" ? hint : throw Bad($"With --loopback the relay must be on this machine, and {hint.Host} is not.");
    }

    private static OperationRefusedException Bad(string sentence) => new(RefusalKind.BadInput, sentence);
}
