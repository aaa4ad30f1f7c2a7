using System.Globalization;
using Polder.Node.Operations;

namespace Polder.Host.Pages.Chat;

/// <param name="List">All conversations.</param>
/// <param name="Page">The one that is open; null where none is.</param>
/// <param name="People">Contacts, for new conversations and groups.</param>
/// <param name="Reply">The message that the next one answers.</param>
/// <param name="Edit">The message that is being changed.</param>
/// <param name="Find">What was searched for.</param>
/// <param name="Found">What was found; null where nothing was searched for.</param>
/// <param name="Text">What stands in the composer.</param>
/// <param name="Problem">Why the last thing was not done.</param>
public sealed record ChatModel(
    FrameModel Frame, IReadOnlyList<ChatListItem> List, ChatPage? Page, IReadOnlyList<ChatMember> People, ChatMessage? Reply, ChatMessage? Edit, string Find,
    IReadOnlyList<ChatFound>? Found, string Text, string? Problem) : IPageModel
{
    public string Title => Page is null ? "Chat" : $"Chat with {Page.Conversation.Name}";
    public string Here => "chat";
    public Type Body => typeof(ChatPageBody);
    public IReadOnlyList<Type> Live => Page is null ? [typeof(ChatList)] : [typeof(ChatList), typeof(ChatHead), typeof(ChatMessages)];

    /// <summary>"/chat?with=…".</summary>
    public static string Link(ChatListItem item, string? around = null, string? reply = null, string? edit = null, string? before = null) =>
        "/chat?with=" + Uri.EscapeDataString(item.Address) + (around is null ? "" : $"&around={around}#m-{around}") + (reply is null ? "" : "&reply=" + reply)
        + (edit is null ? "" : "&edit=" + edit) + (before is null ? "" : "&before=" + before);

    private static readonly System.Buffers.SearchValues<char> Turning = System.Buffers.SearchValues.Create("\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069");

    /// <summary>Words of others without signs that turn the writing round: they would show something else than what stands there.</summary>
    public static string Plain(string text)
    {
        return text.AsSpan().IndexOfAny(Turning) < 0 ? text : string.Concat(text.Select(static letter => Turning.Contains(letter) ? '\uFFFD' : letter));
    }

    /// <summary>One of six colours, always the same for a key.</summary>
    public static string Hue(string key)
    {
        var sum = 0;
        foreach (var letter in key) sum = (sum * 31 + letter) % 1_000_003;
        return "hue-" + (sum % 6).ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The letter that stands for somebody.</summary>
    public static string Initial(string name) =>
        name.EnumerateRunes().FirstOrDefault(System.Text.Rune.IsLetterOrDigit) is { Value: > 0 } rune ? System.Text.Rune.ToUpperInvariant(rune).ToString() : "?";

    /// <summary>"14:03"; "Tue 14:03" within a week; "2026-11-03" before.</summary>
    public static string When(DateTimeOffset time, DateTimeOffset now)
    {
        var (local, today) = (time.LocalDateTime, now.LocalDateTime.Date);
        return local.Date == today ? local.ToString("HH:mm", CultureInfo.InvariantCulture)
            : local.Date > today.AddDays(-7) && local.Date < today ? local.ToString("ddd HH:mm", CultureInfo.InvariantCulture)
            : local.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
    }

    /// <summary>"Today", "Yesterday", "Tuesday, 3 November 2026".</summary>
    public static string Day(DateTimeOffset time, DateTimeOffset now)
    {
        var days = (now.LocalDateTime.Date - time.LocalDateTime.Date).Days;
        return days == 0 ? "Today" : days == 1 ? "Yesterday" : time.LocalDateTime.ToString("dddd, d MMMM yyyy", CultureInfo.InvariantCulture);
    }
}
