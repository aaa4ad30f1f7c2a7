using System.Globalization;
using Polder.Apps.Bundles.Letters;
using Polder.Apps.Chat;
using Polder.Identity;

namespace Polder.Node.Operations;

/// <summary>Turns what is stored into what is shown. Pure but for the reading; of a running node and of a folder at rest alike.</summary>
internal sealed class ChatViews(
    IChatStore store, PublicKey self, Func<PublicKey, string> nameOf, Func<ConversationId, GroupHistory?> groupOf, Func<LetterId, LetterState> stateOf, Func<Attachment, FileState?> fileOf)
{
    public const int UnreadMax = 100, QuoteLetters = 120;

    public IReadOnlyList<ChatListItem> List() =>
        [.. store.Conversations().Where(IsListed).OrderByDescending(static one => one.Activity).ThenBy(static one => one.Id).Select(Item)];

    public ChatListItem Item(Conversation one)
    {
        var last = store.Page(one.Id, null, 1) is [{ } newest] ? Line(newest, one.Kind == ConversationKind.Group) : "";
        return new ChatListItem(one.Id.ToString(), one.Kind == ConversationKind.Pair ? "pair" : "group", one.Kind == ConversationKind.Pair ? nameOf(one.Peer!) : one.Name,
            one.Peer?.ToString(), one.Peer is null ? null : nameOf(one.Peer), one.Standing.ToString().ToLowerInvariant(), store.CountAfter(one.Id, one.Read, self, UnreadMax),
            Time(one.Activity), last, one.Kind == ConversationKind.Pair ? 2 : groupOf(one.Id)?.State.Members.Count ?? 0, one.Foreign);
    }

    public ChatPage Page(Conversation one, EventOrder? before, EventOrder? around, int count)
    {
        var (events, earlier, later) = (new List<StoredEvent>(), false, false);
        if (around is { } place)
        {
            events.AddRange(store.PageFrom(one.Id, place, count / 2 + 1));
            later = events.Count > count / 2;
            if (later) events.RemoveAt(events.Count - 1);
            before = place;
            count -= events.Count;
        }
        var older = store.Page(one.Id, before, count + 1);
        earlier = older.Count > count;
        events.InsertRange(0, older.Take(count).Reverse());
        later |= around is null && before is not null;
        var group = one.Kind == ConversationKind.Group ? groupOf(one.Id) : null;
        return new ChatPage(Item(one), [.. events.Select(Message)], earlier, later,
            group is null ? [] : [.. group.State.Members.Select(member => new ChatMember(member.Key.ToString(), Name(member.Key), member.Value, member.Key == self))
                .OrderByDescending(static member => member.Self).ThenBy(static member => member.Name, StringComparer.OrdinalIgnoreCase).ThenBy(static member => member.PublicKey, StringComparer.Ordinal)],
            group?.State.IsAdmin(self) ?? false);
    }

    public ChatMessage Message(StoredEvent stored)
    {
        var (id, from, time) = (stored.Id.ToString(), stored.Author, Time(stored.Order.Time));
        if (stored.Kind > StoredKind.Change)
            return new ChatMessage(id, "note", from.ToString(), Name(from), from == self, time, Note(stored), false, null, [], [], null);
        if (stored.Kind == StoredKind.Unreadable || stored.Content is not { } content)
            return new ChatMessage(id, "unreadable", from.ToString(), Name(from), from == self, time, "", false, null, [], [], null);
        var state = Fold(stored, content);
        return new ChatMessage(id, state.IsDeleted ? "deleted" : "text", from.ToString(), Name(from), from == self, time, state.Text, state.IsEdited,
            state.IsDeleted || content.Target.IsNone ? null : Quote(content.Target),
            [.. state.Attachments.Select(File)],
            [.. state.Reactions.Select(reaction => new ChatReaction(reaction.Sign, [.. reaction.By.Select(Name)], reaction.By.Contains(self)))],
            from == self ? Where(stored) : null);
    }

    public MessageState Fold(StoredEvent stored, MessageContent content)
    {
        var state = new MessageState(new Said(stored.Order, stored.Author, content));
        foreach (var aimed in store.AimedAt(stored.Id))
            if (aimed.Conversation == stored.Conversation && aimed.Content is { } aim) state.Apply(new Said(aimed.Order, aimed.Author, aim));
        return state;
    }

    public ChatFile File(Attachment attachment, int number)
    {
        var state = fileOf(attachment);
        var name = SafeFile.NameOf(attachment.Name);
        return new ChatFile(number, name, attachment.SizeBytes, SafeFile.LooksLikePicture(name), state?.Here ?? false, state switch
        {
            { Here: true } => "here",
            { Fetching: true, Parts: > 0 } => string.Create(CultureInfo.InvariantCulture, $"on its way, {100L * state.PartsHere / state.Parts} %"),
            { Fetching: true } => "asking for it",
            { PartsHere: > 0, Parts: > 0 } => string.Create(CultureInfo.InvariantCulture, $"{100L * state.PartsHere / state.Parts} % here; goes on when somebody who has it is there"),
            _ => "not here yet",
        });
    }

    public ChatWhere Where(StoredEvent stored)
    {
        var deliveries = store.Deliveries(stored.Id);
        if (deliveries.Count == 0) return new ChatWhere("delivered", "Nobody else is here");
        var states = deliveries.Select(one => (one.To, State: StateOf(one))).ToList();
        var least = states.MinBy(static one => Rank(one.State.Stage));
        var stage = least.State.Stage switch
        {
            LetterStage.WaitingWith => "waiting", LetterStage.Delivered => "delivered", LetterStage.Seen => "seen", LetterStage.Expired => "expired", _ => "here",
        };
        if (states.Count == 1) return new ChatWhere(stage, least.State.ToString());
        var (seen, arrived) = (states.Count(static one => one.State.Stage == LetterStage.Seen), states.Count(static one => one.State.Stage is LetterStage.Seen or LetterStage.Delivered));
        if (seen == states.Count) return new ChatWhere("seen", "Seen by all");
        if (arrived == states.Count) return new ChatWhere("delivered", seen == 0 ? "Delivered to all" : $"Delivered to all, seen by {seen}");
        var open = states.Where(static one => one.State.Stage is not (LetterStage.Seen or LetterStage.Delivered)).ToList();
        var words = string.Join("; ", open.Take(3).Select(one => $"{nameOf(one.To)}: {Lower(one.State.ToString())}"));
        if (open.Count > 3) words += $"; {open.Count - 3} more";
        return new ChatWhere(stage, arrived == 0 ? words : $"Delivered to {arrived} of {states.Count}; {words}");
    }

    private static string Lower(string words) => words.Length == 0 ? words : char.ToLowerInvariant(words[0]) + words[1..];

    // A letter that the bag no longer knows is as far as it was when it did.
    private LetterState StateOf(Delivery delivery) =>
        delivery.Letter is { } letter && stateOf(letter) is { Stage: not LetterStage.Unknown } state ? state : new LetterState(delivery.Stage, []);

    private static int Rank(LetterStage stage) => stage switch
    {
        LetterStage.Expired => 0, LetterStage.OnlyHere or LetterStage.Unknown => 1, LetterStage.WaitingWith => 2, LetterStage.Delivered => 3, _ => 4,
    };

    /// <summary>An invitation is shown once we are in it; a group whose history only began to arrive is not.</summary>
    private bool IsListed(Conversation one) =>
        one.Kind == ConversationKind.Pair || one.Standing != ConversationStanding.Gone || (groupOf(one.Id)?.State.Removals.Any(removal => removal.Who == self) ?? false);

    private ChatQuote? Quote(EventId id) => store.Find(id) is { Hidden: false } stored ? new ChatQuote(id.ToString(), Name(stored.Author), Short(Line(stored, false))) : null;

    private string Line(StoredEvent stored, bool named)
    {
        if (stored.Kind > StoredKind.Change) return Note(stored);
        var who = !named ? "" : stored.Author == self ? "You: " : nameOf(stored.Author) + ": ";
        if (stored.Content is not { } content) return who + "A message that cannot be read";
        var state = Fold(stored, content);
        if (state.IsDeleted) return who + "Message taken back";
        return who + (state.Text.Length > 0 ? Short(state.Text.ReplaceLineEndings(" ")) : state.Attachments is [{ } only] ? SafeFile.NameOf(only.Name) : $"{state.Attachments.Count} files");
    }

    private static string Short(string text)
    {
        if (text.Length <= QuoteLetters) return text;
        return text[..(char.IsHighSurrogate(text[QuoteLetters - 1]) ? QuoteLetters - 1 : QuoteLetters)] + "…";
    }

    private string Note(StoredEvent stored)
    {
        if (stored.ChangeContent is not { } change) return "";
        var who = Name(stored.Author);
        var people = string.Join(", ", change.People.Take(5).Select(one => one.Key == self ? "you" : nameOf(one.Key))) + (change.People.Count > 5 ? $" and {change.People.Count - 5} more" : "");
        return change.Kind switch
        {
            ChangeKind.Create => change.People.Count == 0 ? $"{who} made the group “{change.Name}”" : $"{who} made the group “{change.Name}” with {people}",
            ChangeKind.Add => $"{who} added {people}",
            ChangeKind.Remove => $"{who} removed {people}",
            ChangeKind.Leave => $"{who} left",
            ChangeKind.Promote => $"{who} made {people} an admin",
            ChangeKind.Demote => $"{who} made {people} an ordinary member",
            ChangeKind.Rename => $"{who} called the group “{change.Name}”",
            _ => "",
        };
    }

    private string Name(PublicKey key) => key == self ? "You" : nameOf(key);

    private static DateTimeOffset Time(ulong milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Min(milliseconds, 253_402_300_799_999));
}
