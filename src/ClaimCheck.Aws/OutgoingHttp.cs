using System.Diagnostics.CodeAnalysis;

namespace ClaimCheck.Aws;

/// <summary>Clients of addresses that an operator, the service or a link names.</summary>
internal static class OutgoingHttp
{
    /// <param name="connectTimeout">How long connecting may take.</param>
    /// <param name="decompression">None where checksums are of the stored bytes.</param>
    /// <param name="timeout">Of a whole call; null where the caller limits each call itself.</param>
    [SuppressMessage("Reliability", "CA2000", Justification = "The HttpClient owns the handler.")]
    public static HttpClient Create(
        TimeSpan connectTimeout, DecompressionMethods decompression = DecompressionMethods.None, TimeSpan? timeout = null) =>
        new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // a redirect would carry keys, signatures and data elsewhere
            UseCookies = false,
            Proxy = SystemProxy.Instance,
            AutomaticDecompression = decompression,
            ConnectTimeout = connectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // a name may change its address
        })
        {
            Timeout = timeout ?? Timeout.InfiniteTimeSpan,
        };
}
