using Polder.Identity;
using Polder.Ledger.Records;
using Polder.Ledger.Reputation;

namespace Polder.Node.Operations;

/// <summary>Says in a sentence or two why somebody has the score it has.</summary>
internal static class TrustWords
{
    public static TrustExplanation Explain(
        TrustView trust, Score? score, IReadOnlyList<TrustPath> paths, IReadOnlyList<TrustRecord> records, PublicKey self, PublicKey peer) =>
        new(trust, score?.Cap ?? 0, score?.Direct ?? 0, paths, records, InWords(trust, score, paths, peer == self));

    private static string InWords(TrustView trust, Score? known, IReadOnlyList<TrustPath> paths, bool isSelf)
    {
        string Amount(double amount) => HelpRecords.Amount(amount, trust.Unit);
        if (isSelf) return "This is you. Scores are of others, from your own point of view.";
        if (known is not { } score || trust.Records == 0)
            return $"No record of help in {trust.Unit} with {trust.Name} is known here. It has done nothing for you or anybody you know of, and nothing against you either.";
        var through = paths.Sum(path => path.Flow);
        var best = paths.Count > 0 ? $", most of it through {paths[0].Through.Name}" : "";
        var sources = (score.Direct > 0, through > 0) switch
        {
            (true, true) => $"{trust.Name} gave you {Amount(score.Direct)} itself, and {Amount(through)} reached you through {Count(paths.Count)}{best}.",
            (true, false) => $"{trust.Name} gave you {Amount(score.Direct)} itself.",
            (false, true) => $"{trust.Name} gave you nothing itself, but {Amount(through)} of its help reached you through {Count(paths.Count)}{best}.",
            _ => $"None of {trust.Name}'s help reached you, directly or through anybody who helped you.",
        };
        return trust.Value() switch
        {
            0 when score.Direct + through > 0 => sources + " It got at least as much from you and yours, so its score is 0.",
            0 => sources + " So its score is 0: not bad, only unknown to you.",
            _ when trust.Value() < score.Direct + through => $"{sources} After what it got back from you and yours, {Amount(trust.Value())} count.",
            _ => $"{sources} All of it counts.",
        };
    }

    private static string Count(int people) => people == 1 ? "one other" : $"{people} others";

    private static double Value(this TrustView trust) => trust.Score;
}
