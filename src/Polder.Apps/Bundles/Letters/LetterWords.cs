using System.Globalization;

namespace Polder.Apps.Bundles.Letters;

/// <summary>Where a letter is, in words.</summary>
internal static class LetterWords
{
    public static string Say(LetterState state) => state.Stage switch
    {
        LetterStage.OnlyHere when state.ExportedAt is { } at => string.Create(CultureInfo.InvariantCulture, $"Here, and in a file of {at.UtcDateTime:d MMMM}"),
        LetterStage.OnlyHere => "Only here",
        LetterStage.WaitingWith => Waiting(state),
        LetterStage.Delivered => "Delivered",
        LetterStage.Seen => "Seen",
        LetterStage.Expired => "Not delivered: its time is over",
        _ => "Not known here",
    };

    private static string Waiting(LetterState state)
    {
        var names = state.Names;
        var strangers = state.Carriers.Count(static carrier => carrier.Name is null);
        var common = state.Carriers.Count(static carrier => carrier is { Name: not null, KnowsReceiver: true });
        var who = names.Count switch
        {
            0 => "",
            1 => names[0],
            _ => string.Join(", ", names.Take(names.Count - 1)) + " and " + names[^1],
        };
        var kind = common == 0 ? "" : common == 1 && names.Count == 1 ? ", a common friend" : common == names.Count ? ", common friends" : ", some of them common friends";
        var others = strangers == 0 ? "" : (who.Length > 0 ? ", and with " : "")
            + (strangers == 1 ? "a stranger" : strangers.ToString(CultureInfo.InvariantCulture) + " strangers");
        return "Waiting with " + who + kind + others;
    }
}
