using System.Globalization;
using Polder.Ledger.Records;
using Polder.Ledger.Reputation;

namespace Polder.Node.Operations;

/// <summary>Says in a sentence or two why somebody has the score it has.</summary>
internal static class TrustWords
{
    /// <summary>Of oneself, of somebody without records, and of a cheater.</summary>
    public static string OfNobody(TrustView trust, bool isSelf, FraudView? fraud)
    {
        if (isSelf) return "This is you. Scores are of others, from your own point of view.";
        if (fraud is not null)
        {
            return fraud.Kind == "double-sign"
                ? $"{trust.Name} is a proven cheater: it signed two different blocks with the number {fraud.First.Sequence.ToString(CultureInfo.InvariantCulture)}. Both are kept as proof. Nothing it did or got counts any more, for good."
                : $"{trust.Name} is a proven cheater: it agreed twice to one proposal, in two different blocks. Both are kept as proof. Nothing it did or got counts any more, for good.";
        }
        if (trust.Cheater) return $"{trust.Name} is a proven cheater. Nothing it did or got counts any more, for good.";
        return $"No record of help in {trust.Unit} with {trust.Name} is known here. It has done nothing for you or anybody you know of, and nothing against you either.";
    }

    /// <summary>Of somebody with records.</summary>
    public static string Of(TrustExplanation why, TrustKind kind, ReputationOptions options)
    {
        var (trust, standing) = (why.Trust, why.Standing!);
        if (trust.Records == 0) return OfNobody(trust, false, null) + Claims(trust);
        string Amount(double amount) => HelpRecords.Amount(amount, trust.Unit);
        var through = standing.PathFlow;
        var best = standing.PathCount > 1 ? $", most of it through {why.Paths[0].Through.Name}" : "";
        var sources = (why.Direct > 0, through > 0) switch
        {
            (true, true) => $"{trust.Name} gave you {Amount(why.Direct)} itself, and {Amount(through)} reached you through {Count(standing.PathCount, why)}{best}.",
            (true, false) => $"{trust.Name} gave you {Amount(why.Direct)} itself.",
            (false, true) => $"{trust.Name} gave you nothing itself, but {Amount(through)} of its help reached you through {Count(standing.PathCount, why)}{best}.",
            _ => $"None of {trust.Name}'s help reached you, directly or through anybody who helped you.",
        };
        if (kind.Kind == ScoreKind.BarterCast2) return $"{sources} What went from you and yours to it is taken off.";
        if (!kind.IsAmount) return sources + Walks(why, options);
        if (kind.Kind == ScoreKind.NetFlow)
            return $"{sources} Over ways of any length, {Amount(trust.Score)} count.";
        return trust.Score switch
        {
            0 when why.Direct + through > 0 => $"{sources} It got at least as much from you and yours ({Amount(standing.Took)}), so its score is 0.",
            0 => sources + " So its score is 0: not bad, only unknown to you.",
            _ when trust.Score < why.Direct + through => $"{sources} After what it got back from you and yours, {Amount(trust.Score)} count.",
            _ => $"{sources} All of it counts.",
        };
    }

    private static string Claims(TrustView trust) => trust.Got > 0 ? " It says itself that it got something; nobody confirmed that, so it counts against it only." : "";

    private static string Walks(TrustExplanation why, ReputationOptions options)
    {
        var standing = why.Standing!;
        if (standing.Reach == 0) return " None of the walks along the help from you comes to it.";
        var words = FormattableString.Invariant($" Of {options.Walks} walks along the help from you, {standing.Reach * 100:0.##} % come to it.");
        if (standing.NeckVia is { } via && standing.NeckShare > 0.5)
            words += FormattableString.Invariant($" {standing.NeckShare * 100:0} % of those pass {via.Name} first");
        else return words;
        return words + (standing.NeckCuts ? ": somebody who hangs behind one other may be that other's invention, so its merit is cut by half." : ".");
    }

    private static string Count(int people, TrustExplanation why) =>
        people == 1 ? why.Paths[0].Through.Name : $"{people.ToString(CultureInfo.InvariantCulture)} others";
}
