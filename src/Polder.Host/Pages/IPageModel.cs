using Polder.Host.Lab;
using Polder.Node.Operations;

namespace Polder.Host.Pages;

/// <summary>What a page shows: a snapshot, loaded before anything is drawn, so that drawing waits for nothing.</summary>
public interface IPageModel
{
    /// <summary>What every page shows.</summary>
    FrameModel Frame { get; }
    /// <summary>The title, before " · Polder".</summary>
    string Title { get; }
    /// <summary>The page of the navigation that it belongs to: "home", "peers", …</summary>
    string Here { get; }
    /// <summary>The component that draws what stands between header and footer.</summary>
    Type Body { get; }
    /// <summary>Components that are drawn again on their own when something changed.</summary>
    IReadOnlyList<Type> Live { get; }
}

/// <summary>What header and footer show.</summary>
/// <param name="Status">How the node is doing.</param>
/// <param name="Now">When this was loaded.</param>
/// <param name="Notice">What the last form did.</param>
/// <param name="LivePath">Where changes of this page come from; null on pages that stand still.</param>
public sealed record FrameModel(StatusView Status, DateTimeOffset Now, Notice? Notice, string? LivePath)
{
    /// <summary>The laboratory, where one runs.</summary>
    internal LabSnapshot? Lab { get; init; }
}

/// <summary>A sentence about what a form did.</summary>
/// <param name="Kind">"", "good", "wait" or "bad".</param>
/// <param name="Head">Its first words, in bold.</param>
/// <param name="Text">The rest.</param>
/// <param name="Link">Where to look, or null.</param>
/// <param name="LinkText">What the link says.</param>
public sealed record Notice(string Kind, string Head, string Text, string? Link = null, string? LinkText = null);

/// <summary>A form and what was typed into it.</summary>
/// <param name="Values">By field.</param>
/// <param name="Errors">What is wrong, by field.</param>
public sealed record FormState(IReadOnlyDictionary<string, string> Values, IReadOnlyDictionary<string, string> Errors)
{
    public static FormState Empty { get; } = new(new Dictionary<string, string>(), new Dictionary<string, string>());
    public string Value(string field, string fallback = "") => Values.GetValueOrDefault(field, fallback);
    public string? Error(string field) => Errors.GetValueOrDefault(field);
    /// <summary>The field that gets the focus: the first with an error.</summary>
    public bool IsFirstError(params ReadOnlySpan<string> order)
    {
        var last = order[^1];
        foreach (var field in order) if (Errors.ContainsKey(field)) return field == last;
        return false;
    }
}
