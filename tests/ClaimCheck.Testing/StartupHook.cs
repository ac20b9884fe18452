using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

#pragma warning disable CA1050, MA0047, S3903 // The runtime looks for this name, without a namespace.

/// <summary>
/// For a process started with <c>DOTNET_STARTUP_HOOKS</c> naming this assembly: MD5 fails as it does where the system's OpenSSL
/// offers approved algorithms alone (FIPS). MD5 is taken for MD4, which the default provider of OpenSSL 3 does not have either.
/// </summary>
internal static class StartupHook
{
    internal const string Said = "MD5 is refused here.";

    public static void Initialize()
    {
        var md4 = NativeLibrary.GetExport(NativeLibrary.Load("libcrypto.so.3"), "EVP_md4");
        var cached = typeof(SHA256).Assembly.GetType("Interop+Crypto", throwOnError: true)!
            .GetField("s_evpMd5", BindingFlags.Static | BindingFlags.NonPublic)
            ?? throw new InvalidOperationException("This runtime keeps MD5 elsewhere: it can't be refused.");
        cached.SetValue(null, Marshal.GetDelegateForFunctionPointer<Evp>(md4)());
        try
        {
#pragma warning disable RS0030, CA5351 // To see that it fails.
            MD5.HashData([]);
#pragma warning restore RS0030, CA5351
        }
        catch (CryptographicException)
        {
            Console.WriteLine(Said);
            return;
        }

        throw new InvalidOperationException("MD5 works after all.");
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate nint Evp();
}
