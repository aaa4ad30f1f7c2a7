using System.Text.Json;

namespace Polder.Apps.Parcels.Mailbox;

/// <summary>What a mailbox server told us.</summary>
internal abstract record MailboxEvent
{
    /// <summary>It greets; <c>Motd</c> is to be shown, <c>Error</c> ends everything.</summary>
    public sealed record Welcome(string? Motd, string? Error, string? OwnAddress) : MailboxEvent;
    /// <summary>It wants work done before it serves us.</summary>
    public sealed record WorkWanted(int Bits, string Resource) : MailboxEvent;
    /// <summary>A number is ours.</summary>
    public sealed record Allocated(string Nameplate) : MailboxEvent;
    /// <summary>The mailbox behind our number.</summary>
    public sealed record Claimed(string Mailbox) : MailboxEvent;
    /// <summary>The other side wrote.</summary>
    public sealed record Message(string Side, string Phase, string Body) : MailboxEvent;
    /// <summary>Numbers in use.</summary>
    public sealed record Nameplates(IReadOnlyList<string> Ids) : MailboxEvent;
    /// <summary>The mailbox is closed.</summary>
    public sealed record Closed : MailboxEvent;
    /// <summary>It complains.</summary>
    public sealed record Complaint(string Error) : MailboxEvent;
}

/// <summary>Reads a server's frame.</summary>
internal static class MailboxEvents
{
    /// <summary>What the frame says; null for anything of no interest, and for anything that is not as it should be.</summary>
    public static MailboxEvent? Read(ReadOnlyMemory<byte> frame)
    {
        if (JsonText.Parse(frame) is not { ValueKind: JsonValueKind.Object } message) return null;
        try { return Read(message); }
        catch (InvalidOperationException) { return null; }
    }

    private static MailboxEvent? Read(JsonElement message)
    {
        switch (JsonText.Of(message, "type"))
        {
            case "welcome":
                var welcome = JsonText.TryGet(message, "welcome", out var inner) ? inner : default;
                if (JsonText.Of(welcome, "error") is { } stop) return new MailboxEvent.Welcome(null, stop, null);
                if (JsonText.TryGet(welcome, "permission-required", out var methods) && methods.ValueKind == JsonValueKind.Object && !methods.TryGetProperty("none", out _))
                {
                    if (JsonText.TryGet(methods, "hashcash", out var hashcash) && JsonText.TryGet(hashcash, "bits", out var bits)
                        && bits.ValueKind == JsonValueKind.Number && bits.TryGetInt32(out var count) && JsonText.Of(hashcash, "resource") is { } resource)
                        return new MailboxEvent.WorkWanted(count, resource);
                    return new MailboxEvent.Welcome(null, "this server asks for a permission that this program cannot give", null);
                }
                var own = JsonText.TryGet(welcome, "your-address", out var address) ? JsonText.Of(address, "ipv4") ?? JsonText.Of(address, "ipv6") : null;
                return new MailboxEvent.Welcome(JsonText.Of(welcome, "motd"), null, own);
            case "allocated":
                return JsonText.Of(message, "nameplate") is { } nameplate ? new MailboxEvent.Allocated(nameplate) : null;
            case "claimed":
                return JsonText.Of(message, "mailbox") is { } mailbox ? new MailboxEvent.Claimed(mailbox) : null;
            case "message":
                return JsonText.Of(message, "side") is { } side && JsonText.Of(message, "phase") is { } phase && JsonText.Of(message, "body") is { } body
                    ? new MailboxEvent.Message(side, phase, body) : null;
            case "nameplates":
                return JsonText.TryGet(message, "nameplates", out var list) && list.ValueKind == JsonValueKind.Array
                    ? new MailboxEvent.Nameplates([.. list.EnumerateArray().Select(item => JsonText.Of(item, "id")).OfType<string>().Take(MailboxLimits.NameplatesMax)]) : null;
            case "closed": return new MailboxEvent.Closed();
            case "error": return new MailboxEvent.Complaint(JsonText.Of(message, "error") ?? "?");
            default: return null;
        }
    }
}
