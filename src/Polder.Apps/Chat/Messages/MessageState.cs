using Polder.Identity;

namespace Polder.Apps.Chat;

/// <summary>An event with its content, as the fold sees it.</summary>
internal readonly record struct Said(EventOrder Order, PublicKey Author, MessageContent Content);

/// <summary>A sign under a message and who gave it, in the order of their keys.</summary>
internal sealed record Reaction(string Sign, IReadOnlyList<PublicKey> By);

/// <summary>
/// What a message has become: a fold over the events that aim at it. Of every author the greatest by order counts, so that it does not
/// matter in which order, or how often, they came (commutative, associative, idempotent).
/// </summary>
internal sealed class MessageState
{
    private readonly SortedDictionary<string, SortedDictionary<PublicKey, (EventOrder Order, bool On)>> _reactions = new(StringComparer.Ordinal);
    private (EventOrder Order, string Text)? _edit;

    public MessageState(Said original) => Original = original;

    public Said Original { get; }

    /// <summary>Whether its author took it back. That is for good.</summary>
    public bool IsDeleted { get; private set; }

    public bool IsEdited => _edit is not null && !IsDeleted;

    public string Text => IsDeleted ? "" : _edit?.Text ?? Original.Content.Text;

    public IReadOnlyList<Attachment> Attachments => IsDeleted ? [] : Original.Content.Attachments;

    public IReadOnlyList<Reaction> Reactions => IsDeleted ? [] :
        [.. _reactions.Select(static of => new Reaction(of.Key, [.. of.Value.Where(static by => by.Value.On).Select(static by => by.Key)]))
            .Where(static reaction => reaction.By.Count > 0).Take(ChatLimits.ReactionKindsMax)];

    /// <summary>Takes an event that aims at this message. What is not its author's to do counts for nothing.</summary>
    public void Apply(Said said)
    {
        if (said.Content.Target != Original.Order.Id) return;
        switch (said.Content.Kind)
        {
            case MessageKind.Delete when said.Author == Original.Author:
                IsDeleted = true;
                break;
            case MessageKind.Edit when said.Author == Original.Author:
                if (_edit is null || said.Order > _edit.Value.Order) _edit = (said.Order, said.Content.Text);
                break;
            case MessageKind.Reaction:
                if (!_reactions.TryGetValue(said.Content.Text, out var by)) _reactions[said.Content.Text] = by = [];
                if (!by.TryGetValue(said.Author, out var known) || said.Order > known.Order) by[said.Author] = (said.Order, said.Content.On);
                break;
            default:
                break;
        }
    }
}
