using System.Net.Http.Headers;

namespace ClaimCheck.Adapter.Notices;

/// <summary>The outcome of sending a notice.</summary>
/// <param name="Failure">Why it was not accepted, or null.</param>
/// <param name="IsTerminal">Whether another try is useless.</param>
/// <param name="Code">A stable code of the failure.</param>
internal sealed record Sent(string? Failure, bool IsTerminal, string Code = "");

/// <summary>Notifies consumer systems by signed POSTs: https://github.com/standard-webhooks/standard-webhooks.</summary>
internal sealed class NoticeSender(DeliveryLinks links) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    // The signature is for the configured address only.
    private readonly HttpClient http = OutgoingHttp.Create(TimeSpan.FromSeconds(5), timeout: Patience);

    /// <summary>One try. The id is the same each time; a link is minted for each.</summary>
    public async Task<Sent> SendAsync(
        Route route, NotifyTarget target, DeliveryDocument document, Duty duty, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(
            await NoticeAsync(route, document, duty, cancellationToken), ClaimCheckJson.Options);
        var (id, now) = ($"{document.Id}.{duty.What}", TimeProvider.System.GetUtcNow());
        using var request = new HttpRequestMessage(HttpMethod.Post, target.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.UserAgent.Add(new("claimcheck-adapter", "1"));
        request.Headers.Add(WebhookSignature.IdHeader, id);
        request.Headers.Add(WebhookSignature.TimestampHeader, now.ToUnixTimeSeconds().ToString());
        request.Headers.Add(WebhookSignature.SignatureHeader, WebhookSignature.Sign(target.Secret, id, now, body));
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.StatusCode switch
            {
                _ when response.IsSuccessStatusCode => new(null, true),
                HttpStatusCode.Gone => new("It answered 410: it wants no notices.", true, "http_410"),
                var status => new($"It answered {(int)status}.", false, $"http_{(int)status}"),
            };
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new(NetworkFailure.Of(e, target.Url).Sentence("It"), false, "unreachable");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new($"It did not answer within {Patience}.", false, "timeout");
        }
    }

    public void Dispose() => http.Dispose();

    private async Task<Notice> NoticeAsync(Route route, DeliveryDocument document, Duty duty, CancellationToken cancellationToken)
    {
        var (link, expiresAt) = duty.What == "delivered" ? await links.MintAsync(route, document, cancellationToken) : default;
        return new($"export.{duty.What}", duty.Since, new()
        {
            Id = document.Id,
            Route = document.Route,
            State = duty.What,
            Dataset = document.Dataset,
            ExportId = document.ExportId,
            BatchId = document.BatchId,
            Records = document.Records,
            Bytes = document.Bytes,
            Files = document.Files,
            Outcomes = document.Outcomes,
            Folder = document.Folder,
            Link = link,
            LinkExpiresAt = expiresAt,
            Reason = document.Reason,
            Failure = document.Failure,
        });
    }
}
