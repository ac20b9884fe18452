using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Aws;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Service;

/// <summary>
/// Calls of the service that the library's client does not have in this form: a state with its Retry-After, a receipt, a look at
/// staging. The key is sent to the configured address only. Each is one try: the deliveries have their own delays.
/// </summary>
internal sealed class ServiceApi : IDisposable
{
    private const int LargestAnswer = 1 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly HttpClient service;
    private readonly HttpClient staging;

    [SuppressMessage("Reliability", "CA2000", Justification = "The HttpClients own their handlers.")]
    public ServiceApi(AdapterSettings settings)
    {
        var address = settings.Service.AbsoluteUri;
        service = new(NewHandler())
        {
            BaseAddress = new Uri(address.EndsWith('/') ? address : address + "/"),
            Timeout = Patience,
            MaxResponseContentBufferSize = LargestAnswer,
        };
        if (settings.ApiKey is not null)
            service.DefaultRequestHeaders.Authorization = new("Bearer", settings.ApiKey);
        service.DefaultRequestHeaders.Add("ClaimCheck-Consumer", settings.Consumer);
        service.DefaultRequestHeaders.Accept.Add(new("application/json"));
        staging = new(NewHandler()) { Timeout = Patience };
    }

    /// <summary>An export, and when the service suggests to ask again.</summary>
    public async Task<(Export Export, TimeSpan? RetryAfter)> GetExportAsync(ExportId exportId, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(HttpMethod.Get, $"v1/exports/{exportId}", null, null, cancellationToken);
        try
        {
            var export = await response.Content.ReadFromJsonAsync<Export>(ClaimCheckJson.Options, cancellationToken);
            return (export ?? throw Unreadable(), RetryAfter(response));
        }
        catch (JsonException)
        {
            throw Unreadable();
        }
    }

    /// <summary>Reports the outcome of a batch here.</summary>
    public async Task PutReceiptAsync(BatchId batchId, string consumer, ReceiptReport report, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(
            HttpMethod.Put, $"v1/batches/{batchId}/receipts/{Uri.EscapeDataString(consumer)}", JsonContent.Create(report, options: ClaimCheckJson.Options), batchId, cancellationToken);
    }

    /// <summary>Whether the target of a link exists yet.</summary>
    /// <returns>Null where the link does not work any more: it can't tell anything.</returns>
    public async Task<bool?> IsThereAsync(Link link, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(link.Reveal(), UriKind.Absolute, out var address) || address is not { Scheme: "http" or "https" })
            return null;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            using var response = await staging.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.StatusCode switch
            {
                HttpStatusCode.OK => true,
                // Expired; or not there yet, in a bucket that may not be listed: the status does not distinguish them.
                HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest => null,
                _ => false,
            };
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false; // the message may contain the link; and the state is asked for as well
        }
    }

    public void Dispose()
    {
        service.Dispose();
        staging.Dispose();
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? content, BatchId? batchId, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        HttpResponseMessage response;
        try
        {
            response = await service.SendAsync(request, cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var failure = NetworkFailure.Of(e, service.BaseAddress);
            throw new ServiceUnavailableException(failure.Code, failure.Sentence($"The service at {service.BaseAddress!.Authority}"), batchId, inner: e);
        }

        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw await RefusalAsync(response, batchId, cancellationToken);
    }

    private static async Task<ClaimCheckException> RefusalAsync(HttpResponseMessage response, BatchId? batchId, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        Problem? problem = null;
        try
        {
            if (response.Content.Headers.ContentType?.MediaType == "application/problem+json")
                problem = await response.Content.ReadFromJsonAsync<Problem>(ClaimCheckJson.Options, cancellationToken);
        }
        catch (JsonException)
        {
            // The status is enough.
        }

        var code = problem?.Code ?? $"http_{status}";
        var text = problem is null ? $"The service answered {status} without saying why." : $"{problem.Title}: {problem.Detail}";
        return status switch
        {
            408 or 429 or >= 500 => new ServiceUnavailableException(code, text, batchId, RetryAfter(response)),
            404 => new NotFoundException(text, batchId),
            401 or 403 or 421 => new AccessDeniedException(code, text, batchId),
            _ => new RequestRejectedException(code, text, problem?.Errors ?? new Dictionary<string, string[]>()),
        };
    }

    private static TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter?.Delta;

    private static IntegrityException Unreadable() => new("The service's answer is not what this version reads.");

    private static SocketsHttpHandler NewHandler() => new()
    {
        AllowAutoRedirect = false, // a redirect would carry the key elsewhere
        UseCookies = false,
        Proxy = SystemProxy.Instance,
        ConnectTimeout = TimeSpan.FromSeconds(10),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    };
}
