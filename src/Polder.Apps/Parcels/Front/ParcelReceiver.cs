namespace Polder.Apps.Parcels;

/// <summary>The front of receiving: looks for the sender at several places; the first complete run wins.</summary>
/// <param name="places">The places, in the order in which the budget of guesses goes to them: mailbox, local network, DHT.</param>
public sealed class ParcelReceiver(IReadOnlyList<IReceivingPlace> places)
{
    /// <summary>Receives what waits behind the job's code.</summary>
    public async Task<ParcelOutcome> ReceiveAsync(ReceivingJob job, CancellationToken cancellation)
    {
        job.Human.Report(new ParcelProgress(ParcelStage.Meeting, 0, 0, "Looking for the sender"));
        return await ParcelSender.FirstCompleteAsync(
                [.. places.Select(place => (Func<CancellationToken, Task<ParcelOutcome?>>)(stop => place.ReceiveAsync(job, stop)))], cancellation)
            ?? new ParcelOutcome(ParcelResult.NoMeeting, $"No meeting place answers ({string.Join(", ", places.Select(place => place.Name))}). Check the network, or name another mailbox with --mailbox.");
    }
}
