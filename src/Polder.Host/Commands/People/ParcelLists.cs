using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Commands.People;

/// <summary>polder send --list: what was begun and is not finished.</summary>
internal static class ParcelLists
{
    public static int Show(Terminal terminal, IReadOnlyList<ParcelView> parcels, bool json)
    {
        if (json) terminal.Json(parcels, ParcelApiJson.Default.IReadOnlyListParcelView);
        else if (parcels.Count == 0) terminal.Say("Everything is finished.");
        else
        {
            terminal.Table(["id", "what", ">here", ">of", "code", "to go on"], parcels.Select(static parcel => (IReadOnlyList<string>)
            [
                parcel.Id[..Math.Min(8, parcel.Id.Length)], (parcel.IsSending ? "sending " : "receiving ") + parcel.Title,
                parcel.IsSending ? "" : Amounts.Format(parcel.DoneBytes, Amounts.Bytes), Amounts.Format(parcel.TotalBytes, Amounts.Bytes), parcel.Code,
                parcel.IsSending ? "polder send " + string.Join(' ', parcel.Paths) : "polder receive " + parcel.Code,
            ]));
        }
        return CommandLine.Done;
    }
}
